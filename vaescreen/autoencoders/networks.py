"""Networks behind the contract: diffusers' published classes, the bundled ones, and a user's own."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vaescreen.autoencoders.building import build
from vaescreen.autoencoders.classes import CLASSES, NetworkClass
from vaescreen.autoencoders.contract import check_output
from vaescreen.autoencoders.files import network_fingerprint, weights_sha256
from vaescreen.autoencoders.formats import read_config, read_state, stated_config
from vaescreen.autoencoders.padding import pad_to_multiple
from vaescreen.autoencoders.published.table import PUBLISHED
from vaescreen.autoencoders.scaling import LatentScale
from vaescreen.autoencoders.tiling import OVERLAP, in_tiles
from vaescreen.autoencoders.weights import WeightFiles, locate
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.settings import LARGEST_WHOLE, Settings

_DEFAULTS = Settings()


class NetworkAutoencoder:
    """A network as encode and decode on grayscale images in [0, 1].

    Gray is repeated to the network's input channels and its output channels are averaged back; a fourth channel is
    opacity, set to opaque and not read. [0, 1] becomes the network's range and back; images are padded right and
    below to a multiple of the factor, by reflection, or by replication where an image is too small for that. The
    latent of a network with a posterior is its mean. In float32 (without TF32) unless `settings` says otherwise;
    results are float32 and come back on the device of the input.

    Parameters
    ----------
    model
        The network; it is moved to `device` and set to evaluation mode.
    name
        What error messages call it.
    fingerprint
        Sha256 (hex) of weights, configuration and what `settings` changes.
    device
        Where to run.
    settings
        How to run.
    description
        What its class takes and gives; for diffusers' classes it is known.

    Attributes
    ----------
    geometry : Geometry
        Latent channels and factor; image sides are padded to multiples of the factor.
    class_name : str
        Class of the network.
    image_channels : int
        Channels of its input.
    native_scale : LatentScale
        Shift and scale of its own generative models.
    value_range : tuple of float
        Values of black and white in use.
    fixed_size : int or None
        The only image side that it works on, if there is one.

    Raises
    ------
    CandidateError
        If a setting has no meaning for the network.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        fingerprint: str,
        device: torch.device | str = "cpu",
        settings: Settings = _DEFAULTS,
        description: NetworkClass | None = None,
    ) -> None:
        self.class_name = type(model).__name__
        self._class = description or CLASSES[self.class_name]
        self.fingerprint = fingerprint
        self.geometry = self._class.geometry(model)
        self.image_channels = self._class.image_channels(model)
        self.native_scale: LatentScale = self._class.native(model, self.geometry.channels)
        self.value_range = settings.value_range or self._class.value_range
        self.fixed_size = self._class.fixed_size(model)
        self._name = name
        self._device = torch.device(device)
        self._dtype: torch.dtype = getattr(torch, settings.dtype)
        self._model = nn.Module.to(model.eval().requires_grad_(False), self._device, self._dtype)
        if self._class.one_by_one:
            model.enable_slicing()
        self._settings = settings
        self._decode = self._chosen_decode()
        if settings.tile is not None and settings.tile // self.geometry.factor < 2 * OVERLAP:
            least = 2 * OVERLAP * self.geometry.factor
            raise CandidateError(f"{name}: settings.tile is {settings.tile}; at least {least} pixels are due")

    @property
    def network(self) -> Any:
        """The network itself, for those who train it."""
        return self._model

    def encode(self, images: Tensor) -> Tensor:
        """Latents `[B, C, ceil(H/f), ceil(W/f)]` of images `[B, 1, H, W]` in [0, 1].

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape, or does not take images this size.
        """
        latents, sd = self.posterior(images)
        if self._settings.posterior == "sample":
            latents = latents + sd * _noise(images, latents, self._settings.seed)
        return self.native_scale.apply(latents) if self._settings.scaling == "native" else latents

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation `[B, C, ceil(H/f), ceil(W/f)]` of the raw latents of images `[B, 1, H, W]`.

        The standard deviation is zero for a network that knows no uncertainty.

        Raises
        ------
        CandidateError
            As for `encode`.
        """
        height, width = images.shape[-2:]
        x = pad_to_multiple(images.to(self._device, torch.float32), self.geometry.factor)
        black, white = self.value_range
        x = (black + (white - black) * x).expand(-1, self.image_channels, -1, -1)
        if self.image_channels == 4:
            x = torch.cat([x[:, :3], torch.full_like(x[:, :1], white)], dim=1)
        with torch.no_grad(), _full_precision():
            moments = self._in_tiles(self._moments, x.to(self._dtype), self.geometry.factor, 1).float()
        mean, sd = moments.chunk(2, dim=1)
        check_output(mean, self.geometry.latent_shape(height, width), self._name, "latents")
        return mean.to(images.device), sd.to(images.device)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, of latents `[B, C, h, w]`.

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape.
        """
        raw = self.native_scale.undo(latents) if self._settings.scaling == "native" else latents
        factor, (height, width) = self.geometry.factor, latents.shape[-2:]
        with torch.no_grad(), _full_precision():
            x = raw.to(self._device, self._dtype)
            decoded = self._in_tiles(self._images, x, 1, factor).float()
        expected = (decoded.shape[1], height * factor, width * factor)
        check_output(decoded, expected, self._name, "images")
        colours = decoded[:, :3] if decoded.shape[1] == 4 else decoded
        gray = colours.mean(dim=1, keepdim=True)[..., : size[0], : size[1]]
        black, white = self.value_range
        return ((gray - black) / (white - black)).clamp(0, 1).to(latents.device)

    def _moments(self, x: Tensor) -> Tensor:
        """Mean and standard deviation of raw latents, one after the other along the channels."""
        if self.fixed_size is not None and tuple(x.shape[-2:]) != (self.fixed_size, self.fixed_size):
            side, (height, width) = self.fixed_size, x.shape[-2:]
            raise CandidateError(
                f"{self._name}: works on {side}x{side} pixels only, not on {height}x{width}; use that size, or "
                f"`settings: {{tile: {side}}}` for larger images"
            )
        encoded = self._model.encode(x.unsqueeze(2) if self._class.frames else x)
        mean = self._class.latents(encoded)
        sd = getattr(getattr(encoded, "latent_dist", None), "std", torch.zeros_like(mean))
        moments = torch.cat([mean, sd], dim=1)
        return moments.squeeze(2) if self._class.frames else moments

    def _images(self, latents: Tensor) -> Tensor:
        decoded = self._decode(self._model, latents.unsqueeze(2) if self._class.frames else latents)
        return decoded.squeeze(2) if self._class.frames else decoded

    def _in_tiles(
        self, function: Callable[[Tensor], Tensor], x: Tensor, unit_in: int, unit_out: int
    ) -> Tensor:
        side = (self._settings.tile or LARGEST_WHOLE) // self.geometry.factor
        if max(x.shape[-2:]) <= side * unit_in:
            return function(x)
        return in_tiles(function, x, side, unit_in, unit_out)

    def _chosen_decode(self) -> Callable[[Any, Tensor], Tensor]:
        if self._settings.quantise:
            return self._class.decode
        if self._class.decode_unquantised is None:
            raise CandidateError(
                f"{self._name}: a {self.class_name} has no code book; leave `quantise` out of its settings"
            )
        return self._class.decode_unquantised


def load_network(candidate: Candidate, device: torch.device | str = "cpu") -> NetworkAutoencoder:
    """Load a candidate whose files are on this machine, and check them against its registry entry.

    Raises
    ------
    CandidateError
        If files are missing, unsafe or damaged, differ from the pinned sha256, are of a class that is
        not supported, or do not have the geometry of the entry.
    """
    files = locate(candidate)
    network = load_files(
        files,
        candidate.name,
        adapter=candidate.adapter,
        sha256=candidate.sha256,
        device=device,
        settings=candidate.settings,
        stated=stated_config(candidate),
    )
    if network.geometry != candidate.geometry:
        raise CandidateError(
            f"{candidate.name}: the registry says {candidate.geometry}, but {files.config} is of a network of "
            f"{network.geometry}"
        )
    return network


def load_files(
    files: WeightFiles,
    name: str,
    *,
    adapter: str = "diffusers",
    sha256: str | None = None,
    device: torch.device | str = "cpu",
    settings: Settings = _DEFAULTS,
    stated: Mapping[str, Any] | None = None,
) -> NetworkAutoencoder:
    """Build the network of `files.config` with the weights of `files.weights`, each of which must fit.

    `adapter` says how they are written: `ldm`, or any other for diffusers' own layout. `stated` is the configuration
    of a published network, in place of a file.

    Raises
    ------
    CandidateError
        As for `load_network`.
    """
    config = read_config(files, name, adapter, stated)
    found = weights_sha256(files, name)
    if sha256 is not None and found != sha256:
        raise CandidateError(
            f"{name}: {files.weights} has sha256 {found[:12]}..., the registry pins {sha256[:12]}..."
        )
    model = build(config, read_state(files, name, adapter, config), name)
    fingerprint = network_fingerprint(config, found, settings)
    published = PUBLISHED.get(config["_class_name"])
    description = published.description if published else None
    return NetworkAutoencoder(model, name, fingerprint, device, settings, description)


def _noise(images: Tensor, latents: Tensor, seed: int) -> Tensor:
    """Standard normal draws for latents `[B, ...]`, each from the pixels of its own image and the seed."""
    draws = []
    for image in images.detach().float().cpu():
        key = hashlib.sha256(image.numpy().tobytes() + seed.to_bytes(16, "big")).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(key[:8], "big") >> 1)
        draws.append(torch.randn(latents.shape[1:], generator=generator))
    return torch.stack(draws).to(latents)


@contextmanager
def _full_precision() -> Iterator[None]:
    """Keep convolutions on a GPU in true float32; TF32, the default there, moves PSNR."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
