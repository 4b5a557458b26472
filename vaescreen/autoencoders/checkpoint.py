"""Reading configuration and weights: nothing in a file is ever run, and what is wrong with it is said."""

import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.errors import CandidateError
from vaescreen.storage import digest

_LFS_HEAD = b"version https://git-lfs"
_PICKLE_HEADS = (b"PK\x03\x04", b"\x80")


def read_config(path: Path, name: str) -> dict[str, Any]:
    """Read the `config.json` of candidate `name`.

    Raises
    ------
    CandidateError
        If the file cannot be read or is not a JSON object.
    """
    _refuse_placeholder(path, name)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CandidateError(f"{name}: {path} is not valid JSON ({error})") from error
    if not isinstance(config, dict):
        raise CandidateError(f"{name}: {path} is not a JSON object")
    return config


def read_weights(path: Path, name: str) -> dict[str, Tensor]:
    """Read the tensors of candidate `name` on the CPU: safetensors, or a PyTorch file of tensors only.

    Raises
    ------
    CandidateError
        If the file is a placeholder, damaged, or a pickle with anything but tensors in it.
    """
    _refuse_placeholder(path, name)
    return _read_safetensors(path, name) if path.suffix == ".safetensors" else _read_pickle(path, name)


def file_sha256(path: Path, name: str) -> str:
    """Sha256 (hex) of a weight file of candidate `name`, read in pieces."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CandidateError(f"{name}: cannot read {path} ({error.strerror})") from error


def network_fingerprint(config: Mapping[str, Any], weights_sha256: str) -> str:
    """Sha256 (hex) of weights and configuration, less what only records how the file was written."""
    public = {key: value for key, value in config.items() if key == "_class_name" or not key.startswith("_")}
    return digest(weights_sha256, public)


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
    try:
        with warnings.catch_warnings(action="ignore"):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if is_pickle:
            raise CandidateError(
                f"{name}: {path} is a pickle that would run code on load; convert it to safetensors"
            ) from error
        raise CandidateError(f"{name}: {path} is not a weight file; safetensors is expected") from error
    except Exception as error:  # a damaged pickle may fail in any way
        raise CandidateError(f"{name}: {path} is damaged ({_line(error)}); fetch it again") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CandidateError(f"{name}: {path} holds more than tensors; convert it to safetensors")
    return state


def _refuse_placeholder(path: Path, name: str) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CandidateError(f"{name}: cannot read {path} ({error.strerror})") from error
    if not head:
        raise CandidateError(f"{name}: {path} is empty; fetch it again")
    if head.startswith(_LFS_HEAD):
        raise CandidateError(f"{name}: {path} is a Git LFS pointer, not the file; run `git lfs pull` there")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise CandidateError(f"{name}: {path} is an HTML page, not the file; fetch it again")


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:150]
