"""The ways in which published networks are written: diffusers', latent diffusion's (in diffusers' terms), MONAI's."""

from collections.abc import Mapping
from typing import Any

from vaescreen.autoencoders import ldm
from vaescreen.autoencoders.checkpoint import read_tensors
from vaescreen.autoencoders.files import WeightFiles, read_json_object, read_yaml_mapping
from vaescreen.autoencoders.key_names import Inner, inner
from vaescreen.autoencoders.published.monai import is_monai, monai_config, monai_state
from vaescreen.autoencoders.recognising import recognised
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import GithubSource

DIFFUSERS_ANCHORS = ("encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.conv_out.weight")
"""Names that nearly all classes of diffusers share; by them a prefix is told."""


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
    if files.config == files.weights:
        return _recognised(files, name)
    if adapter == "ldm":
        return ldm.diffusers_config(read_yaml_mapping(files.config, name), files.config, name)
    return read_json_object(files.config, name)


def _recognised(files: WeightFiles, name: str) -> dict[str, Any]:
    state = read_state(files, name).state
    config = recognised(state) or monai_config(state)
    if config is None:
        raise CandidateError(
            f"{name}: {files.weights} has no configuration beside it, and its tensors are of no first stage that is "
            "known; put its config.json or its YAML file beside it, or name that with `--config`"
        )
    return config


def stated_config(candidate: Candidate) -> dict[str, Any] | None:
    """Configuration that a registry entry itself states, as that of a published network does."""
    if not isinstance(candidate.source, GithubSource):
        return None
    return {"_class_name": candidate.source.network, "geometry": list(candidate.geometry)}


def read_state(files: WeightFiles, name: str) -> Inner:
    """Weights of candidate `name` by the names that its network gives them, and what lies beside them in the file.

    Raises
    ------
    CandidateError
        If a file is a placeholder, unsafe or damaged.
    """
    state = read_tensors(files, name)
    if ldm.is_ldm(state):
        return ldm.diffusers_state(state, name)
    return monai_state(state, name) if is_monai(state) else inner(state, DIFFUSERS_ANCHORS, name)
