"""Names of tensors in a checkpoint: what wrappers put before them, and what lies beside the network."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor

_COMPILED = "_orig_mod."


class Inner(NamedTuple):
    """Tensors of a network by their own names, and the names of those beside it."""

    state: dict[str, Tensor]
    beside: list[str]


def inner(state: Mapping[str, Tensor], anchors: Iterable[str]) -> Inner:
    """Tensors under the one prefix below which most of the `anchors` are found, without it.

    Such are `module.` of parallel training, `vae.` or `first_stage_model.` of a larger model, and none. Where
    nothing is found every tensor stays.
    """
    state = {key.replace(_COMPILED, ""): value for key, value in state.items()}
    found = Counter(
        key.removesuffix(anchor)
        for anchor in anchors
        for key in state
        if key == anchor or key.endswith(f".{anchor}")
    )
    if not found:
        return Inner(state, [])
    most = max(found.values())
    prefix = min((p for p, count in found.items() if count == most), key=lambda p: (len(p), p))
    named = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return Inner(named, [key for key in state if not key.startswith(prefix)])


def counted(keys: Iterable[str]) -> str:
    """How many tensors there are of each part, such as `12 of loss, 3 of model_ema`."""
    parts = Counter(key.partition(".")[0] for key in keys)
    return ", ".join(f"{count} of {part}" for part, count in parts.most_common())
