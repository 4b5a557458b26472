"""Half precision in software: weights, and the result of every operation, rounded to it.

Processors without arithmetic of half precision emulate it a hundred times slower than float32; rounding costs
little, and overflows where half precision does. Sums inside one operation are kept in float32, as matrix units do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


@contextmanager
def rounded(model: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Run float32 `model` as if in `dtype`; its weights are as they were afterwards."""
    tensors = [t for t in (*model.parameters(), *model.buffers()) if t.dtype == torch.float32]
    kept = [t.data for t in tensors]
    try:
        for t in tensors:
            t.data = _round(t.data, dtype)
        with _Rounding(dtype):
            yield
    finally:
        for t, data in zip(tensors, kept, strict=True):
            t.data = data


class _Rounding(TorchDispatchMode):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dtype = dtype

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func._schema.is_mutable:  # what is written in place is rounded in place
            return tree_map_only(Tensor, self._in_place, result)
        if any(each.alias_info is not None for each in func._schema.returns):  # a view of what is rounded
            return result
        return tree_map_only(Tensor, lambda tensor: _round(tensor, self._dtype), result)

    def _in_place(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(_round(tensor, self._dtype)) if tensor.dtype == torch.float32 else tensor


def _round(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype).float() if tensor.dtype == torch.float32 else tensor
