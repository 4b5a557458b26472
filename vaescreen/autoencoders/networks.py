"""Published and bundled networks: diffusers' AutoencoderKL, AutoencoderTiny and AutoencoderDC behind the contract."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.checkpoint import file_sha256, network_fingerprint, read_config, read_weights
from vaescreen.autoencoders.contract import Geometry, check_output
from vaescreen.autoencoders.padding import pad_to_multiple
from vaescreen.autoencoders.weights import WeightFiles, locate
from vaescreen.errors import CandidateError
from vaescreen.registry import Candidate

_BLOCKS_KEY = {
    "AutoencoderKL": "block_out_channels",
    "AutoencoderTiny": "encoder_block_out_channels",
    "AutoencoderDC": "encoder_block_out_channels",
}
_LATENTS = {
    "AutoencoderKL": lambda encoded: encoded.latent_dist.mode(),
    "AutoencoderTiny": lambda encoded: encoded.latents,
    "AutoencoderDC": lambda encoded: encoded.latent,
}
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class DiffusersAutoencoder:
    """An `AutoencoderKL`, `AutoencoderTiny` or `AutoencoderDC` as encode and decode on grayscale images in [0, 1].

    Gray is repeated to the network's input channels and its output channels are averaged back; [0, 1] becomes
    [-1, 1] and back; images are padded right and below to a multiple of the factor, by reflection, or by
    replication where an image is too small for that. The latent of a KL network is its posterior mean.
    All in float32 (without TF32); results come back on the device of the input.

    Parameters
    ----------
    model
        The diffusers network, in float32; it is moved to `device` and set to evaluation mode.
    name
        What error messages call it.
    fingerprint
        Sha256 (hex) of weights and configuration.
    device
        Where to run.
    """

    def __init__(self, model: Any, name: str, fingerprint: str, device: torch.device | str = "cpu") -> None:
        self.geometry = _geometry(type(model).__name__, model.config)
        self.fingerprint = fingerprint
        self._name = name
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._latents: Callable[[Any], Tensor] = _LATENTS[type(model).__name__]

    def encode(self, images: Tensor) -> Tensor:
        """Latents `[B, C, ceil(H/f), ceil(W/f)]` of images `[B, 1, H, W]` in [0, 1].

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape.
        """
        height, width = images.shape[-2:]
        x = pad_to_multiple(images.to(self._device, torch.float32), self.geometry.factor)
        x = (2 * x - 1).expand(-1, self._model.config.in_channels, -1, -1)
        with torch.no_grad(), _full_precision():
            latents = self._latents(self._model.encode(x))
        check_output(latents, self.geometry.latent_shape(height, width), self._name, "latents")
        return latents.to(images.device)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, of latents `[B, C, h, w]`.

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape.
        """
        with torch.no_grad(), _full_precision():
            decoded: Tensor = self._model.decode(latents.to(self._device, torch.float32)).sample
        factor, (height, width) = self.geometry.factor, latents.shape[-2:]
        channels = self._model.config.get("out_channels", self._model.config.in_channels)
        check_output(decoded, (channels, height * factor, width * factor), self._name, "images")
        gray = decoded.mean(dim=1, keepdim=True)[..., : size[0], : size[1]]
        return ((gray + 1) / 2).clamp(0, 1).to(latents.device)


def load_network(candidate: Candidate, device: torch.device | str = "cpu") -> DiffusersAutoencoder:
    """Load a candidate whose files are on this machine, and check them against its registry entry.

    Raises
    ------
    CandidateError
        If files are missing, unsafe or damaged, differ from the pinned sha256, are of a class that is
        not supported, or do not have the geometry of the entry.
    """
    files = locate(candidate)
    network = load_files(files, candidate.name, sha256=candidate.sha256, device=device)
    if network.geometry != candidate.geometry:
        raise CandidateError(
            f"{candidate.name}: the registry says {candidate.geometry}, but {files.config} is a network of "
            f"{network.geometry}"
        )
    return network


def load_files(
    files: WeightFiles, name: str, *, sha256: str | None = None, device: torch.device | str = "cpu"
) -> DiffusersAutoencoder:
    """Build the network of `files.config` with the weights of `files.weights`, each of which must fit.

    Raises
    ------
    CandidateError
        As for `load_network`.
    """
    config = read_config(files.config, name)
    found = file_sha256(files.weights, name)
    if sha256 is not None and found != sha256:
        raise CandidateError(
            f"{name}: {files.weights} has sha256 {found[:12]}..., the registry pins {sha256[:12]}..."
        )
    state = {_current_key(key): value for key, value in read_weights(files.weights, name).items()}
    model = _build(config, name)
    _check_fit(state, model.state_dict(), name)
    model.load_state_dict(state)
    return DiffusersAutoencoder(model, name, network_fingerprint(config, found), device)


def _build(config: dict[str, Any], name: str) -> Any:
    class_name = config.get("_class_name")
    if class_name not in _BLOCKS_KEY:
        supported = ", ".join(_BLOCKS_KEY)
        raise CandidateError(f"{name}: class {class_name!r} is not supported; {supported} are")
    import diffusers

    try:
        return getattr(diffusers, class_name).from_config(config)
    except Exception as error:  # a wrong value may fail anywhere in the construction
        reason = " ".join(str(error).split())[:150]
        raise CandidateError(f"{name}: its config.json does not build an {class_name} ({reason})") from error


def _geometry(class_name: str, config: Mapping[str, Any]) -> Geometry:
    return Geometry(int(config["latent_channels"]), 2 ** (len(config[_BLOCKS_KEY[class_name]]) - 1))


def _current_key(key: str) -> str:
    """Name of a weight today; SD-era checkpoints call the attention projections by older names."""
    stem, _, kind = key.rpartition(".")
    block, _, layer = stem.rpartition(".")
    if ".attentions." in block and layer in _OLD_ATTENTION:
        return f"{block}.{_OLD_ATTENTION[layer]}.{kind}"
    return key


def _check_fit(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], name: str) -> None:
    problems = {
        "missing": [key for key in wanted if key not in state],
        "unexpected": [key for key in state if key not in wanted],
        "of another shape": [k for k in wanted if k in state and wanted[k].shape != state[k].shape],
    }
    listed = [f"{len(keys)} {what} (such as {keys[0]})" for what, keys in problems.items() if keys]
    if listed:
        raise CandidateError(f"{name}: its weights do not fit its config.json: {', '.join(listed)}")


@contextmanager
def _full_precision() -> Iterator[None]:
    """Keep convolutions on a GPU in true float32; TF32, the default there, moves PSNR."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
