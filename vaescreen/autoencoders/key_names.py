"""Names of tensors in a checkpoint: what wrappers put before them, and what lies beside the network."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vaescreen.errors import CandidateError

_WRAPPED = re.compile(r"_orig_mod\.|_fsdp_wrapped_module\.|_checkpoint_wrapped_module\.")
"""What `torch.compile`, FSDP and activation checkpoints put into the name of any module."""
_AVERAGED = re.compile(r"(^|[._])(ema|shadow|averaged)([._]|$)")
_FIRST_STAGES = ("first_stage_model.", "vae.", "autoencoder.")
"""Prefixes by which larger models say which of their networks the autoencoder is."""


class Inner(NamedTuple):
    """Tensors of a network by their own names, and the names of those beside it."""

    state: dict[str, Tensor]
    beside: list[str]


def is_averaged(key: str) -> bool:
    """Whether a key of a checkpoint says that moving averages of the weights are below it."""
    return _AVERAGED.search(key) is not None


def inner(state: Mapping[str, Tensor], anchors: Iterable[str], name: str) -> Inner:
    """Tensors under the one prefix below which most of the `anchors` are found, without it.

    Such are `module.` of parallel training, `vae.` or `first_stage_model.` of a larger model, and none. Of a network
    and its moving averages these are taken. Where nothing is found every tensor stays.

    Raises
    ------
    CandidateError
        If there are several unlike networks, and none is the average, named as the autoencoder, or without a prefix.
    """
    state = {_WRAPPED.sub("", key): value for key, value in state.items()}
    anchors = tuple(anchors)
    found = Counter(
        key.removesuffix(anchor)
        for anchor in anchors
        for key in state
        if key == anchor or key.endswith(f".{anchor}")
    )
    if not found:
        return Inner(state, [])
    most = max(found.values())
    tied = sorted((p for p, count in found.items() if count == most), key=lambda p: (len(p), p))
    told = [*filter(is_averaged, tied), *(each for each in tied if not each or each.endswith(_FIRST_STAGES))]
    if not told:
        _refuse_unlike(state, anchors, tied, name)
    prefix = (told or tied)[0]
    named = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return Inner(named, [key for key in state if not key.startswith(prefix)])


def _refuse_unlike(
    state: Mapping[str, Tensor], anchors: Iterable[str], prefixes: list[str], name: str
) -> None:
    for other in prefixes[1:]:
        pairs = [(state.get(f"{prefixes[0]}{a}"), state.get(f"{other}{a}")) for a in anchors]
        if any(a is not None and b is not None and not torch.equal(a, b) for a, b in pairs):
            listed = " and ".join(f"`{prefix}`" for prefix in prefixes[:3])
            raise CandidateError(
                f"{name}: its file holds several networks, under {listed}; save the tensors of the one that is meant "
                "to a file of their own"
            )


def counted(keys: Iterable[str]) -> str:
    """How many tensors there are of each part, such as `12 of loss, 3 of model_ema`."""
    parts = Counter(key.partition(".")[0] for key in keys)
    return ", ".join(f"{count} of {part}" for part, count in parts.most_common())
