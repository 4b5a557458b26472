"""The two ways in which published networks are written, both read into diffusers' terms."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from vaescreen.autoencoders import ldm
from vaescreen.autoencoders.checkpoint import read_tensors
from vaescreen.autoencoders.files import WeightFiles, read_json_object, read_yaml_mapping
from vaescreen.registry.candidate import Candidate, GithubSource


def read_config(
    files: WeightFiles, name: str, adapter: str, stated: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Configuration of candidate `name` as diffusers writes it, whatever `adapter` (`ldm` or another) reads.

    `stated` is that of a published network, which has no file for it; see `stated_config`.

    Raises
    ------
    CandidateError
        If its file is unreadable or describes no network.
    """
    if stated is not None:
        return dict(stated)
    if adapter == "ldm":
        return ldm.diffusers_config(read_yaml_mapping(files.config, name), files.config, name)
    return read_json_object(files.config, name)


def stated_config(candidate: Candidate) -> dict[str, Any] | None:
    """Configuration that a registry entry itself states, as that of a published network does."""
    if not isinstance(candidate.source, GithubSource):
        return None
    return {"_class_name": candidate.source.network, "geometry": list(candidate.geometry)}


def read_state(files: WeightFiles, name: str, adapter: str, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Weights of candidate `name` by the names that diffusers gives them.

    Raises
    ------
    CandidateError
        If a file is a placeholder, unsafe or damaged.
    """
    state = read_tensors(files, name)
    return ldm.diffusers_state(state, config, name) if adapter == "ldm" else state
