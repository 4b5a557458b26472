"""Tensors and plain values in one safetensors file, with a seal over both and the key that they belong to.

Nothing in such a file can run, and nothing but what was written under the same key is believed when it is read.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vaescreen.errors import DamagedError, ResultError
from vaescreen.storage import SEAL, digest, recall, write_bytes

_ENTRY = "vaescreen"
"""The one entry of the metadata: with several, safetensors writes them in an order that changes."""


def write_tensors(path: Path, state: Any, key: str) -> None:
    """Write a value of tensors, numbers, texts, None, lists, tuples and mappings, nested as one likes.

    Raises
    ------
    CacheError
        If it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_apart(state, tensors))
    entry = json.dumps({"state": text, SEAL: _seal(tensors, text, key)})
    write_bytes(path, save(tensors, {_ENTRY: entry}))


def recall_tensors(path: Path, key: str, device: torch.device | str = "cpu") -> Any:
    """Read what `write_tensors` wrote, with the same strides; None if there is nothing, or it was damaged."""
    return recall(path, lambda: _read(path, key, device))


def _read(path: Path, key: str, device: torch.device | str) -> Any:
    if not path.is_file():
        raise ResultError(f"there is no {path}")
    with ExitStack() as stack:
        try:
            file = stack.enter_context(safe_open(path, "pt"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            entry = json.loads((file.metadata() or {})[_ENTRY])
            text, seal = entry["state"], entry[SEAL]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{path} is damaged ({_line(error)})") from error
    if seal != _seal(tensors, text, key):
        raise DamagedError(f"{path} is damaged: its content is not what was written")
    return _together(json.loads(text), {name: tensor.to(device) for name, tensor in tensors.items()})


def _seal(tensors: Mapping[str, Tensor], text: str, key: str) -> str:
    total = hashlib.sha256(digest(key, text).encode())
    for name, tensor in sorted(tensors.items()):
        total.update(digest(name, str(tensor.dtype), list(tensor.shape)).encode())
        total.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _apart(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Plain values as JSON holds them; tensors go to `tensors`, and their number and strides stay."""
    match value:
        case Tensor():
            name = str(len(tensors))
            tensors[name] = value.detach().contiguous()
            return {"tensor": name, "stride": value.stride()}
        case dict():
            return {"items": [[key, _apart(each, tensors)] for key, each in value.items()]}
        case tuple():
            return {"tuple": [_apart(each, tensors) for each in value]}
        case list():
            return [_apart(each, tensors) for each in value]
        case _:
            return value


def _together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    match value:
        case {"tensor": name, "stride": stride}:
            return _strided(tensors[name], tuple(stride))
        case {"items": items}:
            return {key: _together(each, tensors) for key, each in items}
        case {"tuple": parts}:
            return tuple(_together(each, tensors) for each in parts)
        case list():
            return [_together(each, tensors) for each in value]
        case _:
            return value


def _strided(tensor: Tensor, stride: tuple[int, ...]) -> Tensor:
    """The same values laid out as they were: fused optimisers walk through memory, whatever the shape."""
    if tensor.stride() == stride:
        return tensor
    return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype, device=tensor.device).copy_(tensor)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:150]
