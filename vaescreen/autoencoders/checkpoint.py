"""Reading tensors: nothing in a file is ever run, and what is wrong with it is said."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.files import WeightFiles, refuse_placeholder
from vaescreen.errors import CandidateError

_WRAPPERS = ("state_dict", "params_ema", "params", "model")
"""Keys under which training codes put the tensors; the averaged ones go first where both are there."""

_PICKLE_HEADS = (b"PK\x03\x04", b"\x80")
_TRAINING_RECORDS = ("pytorch_lightning.", "lightning.", "lightning_fabric.", "omegaconf.")


class _Nothing:
    """Stands in for classes of training frameworks that old checkpoints mention beside their tensors."""

    def __init__(self, *_arguments: Any) -> None: ...

    def __setstate__(self, _state: Any) -> None: ...


def read_tensors(files: WeightFiles, name: str) -> dict[str, Tensor]:
    """Read the tensors of candidate `name` on the CPU: safetensors, or PyTorch files of tensors only.

    Raises
    ------
    CandidateError
        If a file is a placeholder, damaged, or a pickle with anything but tensors in it.
    """
    state: dict[str, Tensor] = {}
    paths = files.shards or (files.weights,)
    for path, part in zip(paths, files.parts or ("",) * len(paths), strict=True):
        refuse_placeholder(path, name)
        is_safe = path.suffix == ".safetensors"
        tensors = _read_safetensors(path, name) if is_safe else _read_pickle(path, name)
        state |= {f"{part}.{key}": value for key, value in tensors.items()} if part else tensors
    return state


def _read_safetensors(path: Path, name: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CandidateError(
            f"{name}: {path} is truncated or not a safetensors file ({_line(error)}); fetch it again"
        ) from error
    return tensors


def _read_pickle(path: Path, name: str) -> dict[str, Tensor]:
    with path.open("rb") as file:
        is_pickle = file.read(4).startswith(_PICKLE_HEADS)
    _refuse_inflated(path, name)
    try:
        with warnings.catch_warnings(action="ignore"), torch.serialization.safe_globals(_records(path)):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if is_pickle:
            raise CandidateError(
                f"{name}: {path} is a pickle that would run code on load; convert it to safetensors"
            ) from error
        raise CandidateError(f"{name}: {path} is not a weight file; safetensors is expected") from error
    except Exception as error:  # a damaged pickle may fail in any way
        raise CandidateError(
            f"{name}: {path} is truncated or damaged ({_line(error)}); fetch it again"
        ) from error
    if isinstance(state, dict):
        state = next((state[key] for key in _WRAPPERS if isinstance(state.get(key), dict)), state)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CandidateError(f"{name}: {path} holds more than tensors; convert it to safetensors")
    if any(value.nbytes > value.untyped_storage().nbytes() for value in state.values()):
        raise CandidateError(
            f"{name}: {path} has tensors larger than the data behind them; it is not to be trusted"
        )
    return state


def _refuse_inflated(path: Path, name: str) -> None:
    """Refuse an archive that unpacks to more than its own size; PyTorch stores tensors as they are."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return
    if unpacked > path.stat().st_size:
        raise CandidateError(
            f"{name}: {path} would unpack to {unpacked / 1e6:.0f} MB, more than its own size; "
            "no weight file does that, and it is not opened"
        )


def _records(path: Path) -> list[Any]:
    """Classes of training frameworks that a checkpoint mentions, each to be read as `_Nothing`."""
    try:
        mentioned = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # no archive of PyTorch: reading it says what is wrong
        return []
    return [(_Nothing, entry) for entry in mentioned if entry.startswith(_TRAINING_RECORDS)]


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:150]
