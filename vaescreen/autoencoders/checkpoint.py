"""Reading tensors: nothing in a file is ever run, and what is wrong with it is said."""

import pickle
import pickletools
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.files import WeightFiles, fetched_again, refuse_placeholder
from vaescreen.autoencoders.key_names import is_averaged
from vaescreen.errors import CandidateError

_OF_TRAINING = ("optim", "lr_sched", "scheduler")
"""How the keys begin below which an optimiser keeps tensors of its own."""
_PICKLE_HEADS = (b"PK\x03\x04", b"\x80")
_ARCHIVE = "an archive; unpack it and give its folder"
_OTHER_FORMATS = {
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"\x93NUMPY": "an array of NumPy",
    b"\x89HDF\r\n": "an HDF5 file, as Keras writes it",
    b"GGUF": "a GGUF file",
    b"\x08\x03\x12": "an ONNX network",
    b"\x08\x07\x12": "an ONNX network",
    b"\x08\x08\x12": "an ONNX network",
}
_OTHER_ARCHIVES = {
    re.compile(r"[^/]+\.npy$"): "arrays of NumPy; safetensors or a PyTorch checkpoint is expected",
    re.compile(r".*/archive_format$"): "a program of torch.export, not weights; save its tensors: "
    "`torch.save(torch.export.load(FILE).state_dict, OTHER)`",
}
"""What zip archives are, by a name in them."""
_RECORDS = (
    "__main__.",
    "argparse.",
    "builtins.list",
    "builtins.dict",
    "collections.",
    "datetime.",
    "easydict.",
    "enum.",
    "lightning.",
    "lightning_fabric.",
    "ml_collections.",
    "numpy.",
    "omegaconf.",
    "pathlib.",
    "pytorch_lightning.",
    "types.SimpleNamespace",
    "yacs.",
)
"""Where the classes of plain records come from that training codes keep beside the tensors."""
_MAPPINGS = ("collections.defaultdict", "easydict.", "ml_collections.", "yacs.")
_SEQUENCES = ("collections.deque",)
_WHOLE = ("torch.nn.modules.", "torch.nn.parallel.", "diffusers.models.")
"""Classes that only a whole pickled network mentions."""
_WHOLE_NETWORK = (
    "holds a whole network as an object of its own code; save its tensors instead: "
    "`torch.save(network.state_dict(), FILE)`"
)


class _Nothing:
    """Stands in for the class of a record beside the tensors: whatever is done to it, nothing happens."""

    def __init__(self, *_arguments: Any) -> None: ...

    def __setstate__(self, _state: Any) -> None: ...


class _Mapping:
    """Stands in for the dictionaries among them: a plain one, since PyTorch fills no other."""

    def __new__(cls, *_arguments: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict()


class _Sequence:
    """Stands in for the lists among them."""

    def __new__(cls, *_arguments: Any) -> list[Any]:  # type: ignore[misc]
        return []


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
        tensors = _read_safetensors(path, name) if _is_safetensors(path) else _read_pickle(path, name)
        state |= {f"{part}.{key}": value for key, value in tensors.items()} if part else tensors
    if not state:
        raise CandidateError(f"{name}: {files.weights} holds no tensors")
    return state


def _is_safetensors(path: Path) -> bool:
    """Whether a file is of this format: by its content, or where that is of none, by its suffix."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" or (path.suffix.lower() == ".safetensors" and not head.startswith(_PICKLE_HEADS))


def _read_safetensors(path: Path, name: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CandidateError(
            f"{name}: {path} is truncated or not a safetensors file ({_line(error)}); "
            f"{fetched_again(path, name)}"
        ) from error
    return tensors


def _read_pickle(path: Path, name: str) -> dict[str, Tensor]:
    with path.open("rb") as file:
        head = file.read(8)
    _refuse_other_formats(path, head, name)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            torch.serialization.safe_globals(_records(path)),
            path.open("rb") as file,  # of a path, PyTorch would heed the suffix
        ):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if any(entry.startswith(_WHOLE) for entry in _mentioned(path)):
            raise CandidateError(f"{name}: {path} {_WHOLE_NETWORK}") from error
        if head.startswith(_PICKLE_HEADS):
            raise CandidateError(
                f"{name}: {path} is a pickle that would run code on load; convert it to safetensors"
            ) from error
        raise CandidateError(f"{name}: {path} is not a weight file; safetensors is expected") from error
    except Exception as error:  # a damaged pickle may fail in any way
        raise CandidateError(
            f"{name}: {path} is truncated or damaged ({_line(error)}); {fetched_again(path, name)}"
        ) from error
    state = _tensors_in(content, path, name)
    _refuse_unreadable(state, path, name)
    return state


def _tensors_in(content: Any, path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint by their names; records beside them are skipped.

    Of several dictionaries of tensors that of the moving averages is taken, or each gives its key as a prefix. One
    alone is only a wrapper.
    """
    if isinstance(content, _Nothing):
        raise CandidateError(f"{name}: {path} {_WHOLE_NETWORK}")
    if not isinstance(content, dict):
        raise CandidateError(
            f"{name}: {path} holds a {type(content).__name__}, where a dictionary of tensors is expected"
        )
    beside = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    inside = {
        str(key): _tensors_in(value, path, name)
        for key, value in content.items()
        if isinstance(value, dict) and not str(key).startswith(_OF_TRAINING) and _holds_tensors(value)
    }
    most = max(map(len, inside.values()), default=0)
    if most > len(beside):
        whole = [key for key, tensors in inside.items() if len(tensors) == most]
        averaged = [key for key in whole if is_averaged(key)]
        if len(inside) == 1 or averaged:
            return inside[(averaged or whole)[0]]
        return {
            f"{key}.{inner}": value for key, tensors in inside.items() for inner, value in tensors.items()
        }
    if beside:
        return beside
    if any(isinstance(value, _Nothing) for value in content.values()):
        raise CandidateError(
            f"{name}: {path} holds objects such as NumPy's arrays, where tensors are expected; write each as "
            "`torch.from_numpy(ARRAY)`"
        )
    keys = ", ".join(map(str, list(content)[:8])) or "nothing"
    raise CandidateError(f"{name}: {path} holds no tensors by name, but {keys}")


def _refuse_unreadable(state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Refuse tensors that stand for others: without data, packed, or larger than what is behind them."""
    for key, value in state.items():
        kind = (
            "has no data (it is on the device `meta`)"
            if value.is_meta
            else f"is quantised ({value.dtype}); write `dequantize()` of each"
            if value.is_quantized
            else f"is sparse ({value.layout}); write `to_dense()` of each"
            if value.layout != torch.strided
            else None
        )
        if kind:
            raise CandidateError(f"{name}: {path}: its tensor {key} {kind}")
        if value.nbytes > value.untyped_storage().nbytes():
            raise CandidateError(
                f"{name}: {path} has tensors larger than the data behind them; it is not to be trusted"
            )


def _holds_tensors(content: dict[Any, Any]) -> bool:
    """Whether a dictionary has tensors in it that are more than a number, such as the best score of a training."""
    return any(
        (isinstance(value, Tensor) and value.ndim > 0) or (isinstance(value, dict) and _holds_tensors(value))
        for key, value in content.items()
        if isinstance(key, str)
    )


def _refuse_other_formats(path: Path, head: bytes, name: str) -> None:
    """Refuse what is of another program, a program itself, or an archive that unpacks to more than its own size."""
    for magic, what in _OTHER_FORMATS.items():
        if head.startswith(magic):
            expected = "" if what is _ARCHIVE else "; safetensors or a PyTorch checkpoint is expected"
            raise CandidateError(f"{name}: {path} is {what}{expected}")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise CandidateError(
            f"{name}: {path} is TorchScript, a program rather than weights; save its tensors instead: "
            "`torch.save(torch.jit.load(FILE).state_dict(), OTHER)`"
        )
    names = [entry.filename for entry in entries]
    other = next((kind for known, kind in _OTHER_ARCHIVES.items() if any(map(known.match, names))), None)
    if other is None and not any(each.endswith("/data.pkl") or "/data/" in each for each in names):
        other = _ARCHIVE
    if other:
        raise CandidateError(f"{name}: {path} is {other}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > path.stat().st_size:  # PyTorch stores tensors as they are
        raise CandidateError(
            f"{name}: {path} would unpack to {unpacked / 1e6:.0f} MB, more than its own size; "
            "no weight file does that, and it is not opened"
        )


def _records(path: Path) -> list[Any]:
    """Classes of plain records that a checkpoint mentions, each with what it is read as."""
    return [
        (_Mapping if e.startswith(_MAPPINGS) else _Sequence if e.startswith(_SEQUENCES) else _Nothing, e)
        for e in _mentioned(path)
        if e.startswith(_RECORDS)
    ]


def _mentioned(path: Path) -> list[str]:
    """What a pickle names that PyTorch does not know to be safe; nothing is run."""
    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # no archive of PyTorch, but perhaps a file of before 1.6: several pickles in a row
        pass
    found = set()
    try:
        with path.open("rb") as file:
            while file.peek(1):
                for operation, argument, _ in pickletools.genops(file):
                    if operation.name == "GLOBAL" and isinstance(argument, str):
                        found.add(argument.replace("__builtin__ ", "builtins ").replace(" ", "."))
    except Exception:  # where the pickles end the tensors begin
        pass
    known = torch._weights_only_unpickler._get_allowed_globals()
    return sorted(found - set(known))


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:150]
