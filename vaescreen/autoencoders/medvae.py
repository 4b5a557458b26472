"""MedVAE (Varma et al., MIDL 2025) by its own package, beside our loader of the same checkpoints: adapter `medvae`.

The package encodes with a random sample; here the posterior mean is taken. Weights are read as everywhere: nothing
in the file is run. `vaescreen registry add medvae:medvae_4_3_2d` writes an entry; the `ldm` adapter opens the same
files without the package.
"""

import contextlib
import sys
from typing import Any, NamedTuple

import torch

from vaescreen.autoencoders.checkpoint import read_tensors
from vaescreen.autoencoders.classes import NetworkClass
from vaescreen.autoencoders.files import WeightFiles, network_fingerprint, read_yaml_mapping, weights_sha256
from vaescreen.autoencoders.key_names import counted
from vaescreen.autoencoders.ldm import first_stage
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.scaling import unscaled
from vaescreen.autoencoders.weights import locate
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

HUB = "stanfordmimi/MedVAE"
_RANK = 4
"""Of the low-rank updates that models 4_3 and 8_4 carry."""
_UNUSED = ("channel_ds.", "channel_proj.")
"""Parts that no encoding or decoding of an image passes through; not every checkpoint has them."""


class Model(NamedTuple):
    """Files of one of the package's 2-D models on the hub."""

    config: str
    weights: str


MODELS = {
    f"medvae_{factor}_{channels}_2d": Model(
        f"medvae_{factor}x{channels}.yaml", f"vae_{factor}x_{channels}c_2D.ckpt"
    )
    for factor, channels in ((4, 1), (4, 3), (4, 4), (8, 1), (8, 4))
}
"""The package's 2-D models by the names that it gives them: factor, then latent channels."""


def open_medvae(candidate: Candidate, device: torch.device | str = "cpu") -> NetworkAutoencoder:
    """Open a candidate whose files are on this machine with the networks of the package.

    Raises
    ------
    CandidateError
        If the package is not installed, files are missing or unsafe, or do not fit its network.
    """
    name, files = candidate.name, locate(candidate)
    parameters = structure(files, name)
    network = _network(parameters, name)
    state = read_tensors(files, name)
    if any(key.endswith(".lora_up.weight") for key in state):
        from medvae.utils.lora import inject_trainable_lora_extended

        inject_trainable_lora_extended(network, {"ResnetBlock", "AttnBlock"}, r=_RANK)
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in state and not key.startswith(_UNUSED)]
    if missing:
        raise CandidateError(f"{name}: {files.weights} lacks {len(missing)} tensors, such as {missing[0]}")
    try:
        network.load_state_dict({key: value for key, value in state.items() if key in wanted}, strict=False)
    except RuntimeError as error:
        raise CandidateError(f"{name}: {files.weights} does not fit {files.config}") from error
    description = NetworkClass(
        factor=lambda _: candidate.geometry.factor,
        latent_channels=lambda _: candidate.geometry.channels,
        image_channels=lambda _: int(parameters["ddconfig"]["in_channels"]),
        native=unscaled,
    )
    opened = NetworkAutoencoder(
        network, name, fingerprint(candidate), device, candidate.settings, description
    )
    opened.left_out = counted(key for key in state if key not in wanted)
    return opened


def fingerprint(candidate: Candidate) -> str:
    """Fingerprint of the network that `open_medvae` opens, from its files alone."""
    files = locate(candidate)
    config = {"_class_name": "medvae.AutoencoderKL_2D", **structure(files, candidate.name)}
    return network_fingerprint(config, weights_sha256(files, candidate.name), candidate.settings)


def structure(files: WeightFiles, name: str) -> dict[str, Any]:
    """`embed_dim` and `ddconfig` of a model's YAML file.

    Raises
    ------
    CandidateError
        If it has none.
    """
    parameters, _ = first_stage(read_yaml_mapping(files.config, name))
    try:
        return {"embed_dim": int(parameters["embed_dim"]), "ddconfig": dict(parameters["ddconfig"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CandidateError(f"{name}: {files.config} has no `embed_dim` and `ddconfig`") from error


def _network(parameters: dict[str, Any], name: str) -> Any:
    try:
        from medvae.models import AutoencoderKL_2D
    except ImportError as error:
        raise CandidateError(
            f"{name}: needs the package medvae; `pip install vaescreen[medvae]`, or open the same files without it by "
            "`adapter: ldm`"
        ) from error
    except RuntimeError as error:  # torchvision built for another torch
        raise CandidateError(
            f"{name}: medvae cannot be imported here ({' '.join(str(error).split())[:100]}); install the torchvision "
            "of this torch, or open the same files without it by `adapter: ldm`"
        ) from error
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it tells what it builds where results go
            return AutoencoderKL_2D(**parameters)
    except Exception as error:  # a wrong value may fail anywhere in the construction
        reason = " ".join(str(error).split())[:150]
        raise CandidateError(f"{name}: its configuration builds no network of medvae ({reason})") from error
