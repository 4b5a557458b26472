"""Networks behind the contract: diffusers' published classes, the bundled ones, and a user's own."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from vaescreen.autoencoders.building import build, class_name_of
from vaescreen.autoencoders.classes import CLASSES, NetworkClass
from vaescreen.autoencoders.contract import check_output
from vaescreen.autoencoders.files import network_fingerprint, weights_sha256
from vaescreen.autoencoders.formats import read_config, read_state, stated_config
from vaescreen.autoencoders.key_names import counted
from vaescreen.autoencoders.levels import Levels
from vaescreen.autoencoders.outputs import images_of, latents_of
from vaescreen.autoencoders.padding import pad_to_multiple
from vaescreen.autoencoders.published.table import PUBLISHED
from vaescreen.autoencoders.rounding import rounded
from vaescreen.autoencoders.scaling import LatentScale
from vaescreen.autoencoders.tiling import OVERLAP, in_tiles
from vaescreen.autoencoders.weights import WeightFiles, locate
from vaescreen.errors import CandidateError, VaescreenError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.settings import LARGEST_WHOLE, Settings

_DEFAULTS = Settings()
Result = TypeVar("Result")


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
        Values of black and white in use at the input.
    levels : Levels
        The same by channel, at input and output.
    settings : Settings
        How it is run.
    fixed_size : int or None
        The only image side that it works on, if there is one.
    left_out : str
        How many tensors of each part of its weight file are none of its; empty if all are.

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
        self.levels = Levels.of(settings, self._class.value_range, self.image_channels, name)
        self.fixed_size = self._class.fixed_size(model)
        self.left_out = ""
        self._name = name
        self._device = torch.device(device)
        self._dtype: torch.dtype = getattr(torch, settings.dtype)
        for parameter in model.parameters():  # a TorchScript module has no `requires_grad_` of its own
            parameter.requires_grad_(False)
        self._model = nn.Module.to(model.eval(), self._device, self._dtype)
        if self._class.one_by_one:
            model.enable_slicing()
        self.settings = settings
        self._rounded_to: torch.dtype | None = None
        self._decode = self._chosen_decode()
        if settings.tile is not None and settings.tile // self.geometry.factor < 2 * OVERLAP:
            least = 2 * OVERLAP * self.geometry.factor
            raise CandidateError(f"{name}: settings.tile is {settings.tile}; at least {least} pixels are due")

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._device

    @property
    def _overflow_mend(self) -> str:
        is_half = self._dtype != torch.float32
        return (
            f"; it overflows in {self.settings.dtype}: write `settings: {{dtype: float32}}`"
            if is_half
            else ""
        )

    @property
    def network(self) -> Any:
        """The network itself, for those who train it."""
        return self._model

    def run_as(self, settings: Settings, rounded_to: torch.dtype | None = None) -> "NetworkAutoencoder":
        """The same network run otherwise, sharing its weights.

        Parameters
        ----------
        settings
            How; in the same `dtype`, which belongs to the weights.
        rounded_to
            A half precision that is imitated in float32, see `vaescreen.autoencoders.rounding`.

        Raises
        ------
        CandidateError
            If a setting has no meaning for the network.
        """
        if settings.dtype != self.settings.dtype:
            raise ValueError("another precision needs the weights opened again")
        other = NetworkAutoencoder(
            self._model, self._name, self.fingerprint, self._device, settings, self._class
        )
        other._rounded_to = rounded_to
        return other

    def encode(self, images: Tensor) -> Tensor:
        """Latents `[B, C, ceil(H/f), ceil(W/f)]` of images `[B, 1, H, W]` in [0, 1].

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape, or does not take images this size.
        """
        latents, sd = self.posterior(images)
        if self.settings.posterior == "sample":
            latents = latents + sd * _noise(images, latents, self.settings.seed)
        return self.native_scale.apply(latents) if self.settings.scaling == "native" else latents

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
        x = self.levels.apply(x)
        with torch.no_grad(), _full_precision():
            moments = self._in_tiles(self._moments, x.to(self._dtype), self.geometry.factor, 1).float()
        mean, sd = moments.chunk(2, dim=1)
        check_output(
            mean, self.geometry.latent_shape(height, width), self._name, "latents", self._overflow_mend
        )
        return mean.to(images.device), sd.to(images.device)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, of latents `[B, C, h, w]`.

        Raises
        ------
        CandidateError
            If the network gives values that are not finite, or another shape.
        """
        return self.decode_unclamped(latents, size).clamp(0, 1)

    def decode_unclamped(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """As `decode`, with what the network gives below black and above white.

        Raises
        ------
        CandidateError
            As for `decode`.
        """
        return self.levels.undo(self.decode_raw(latents, size))

    def decode_raw(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, image channels, *size]` of latents `[B, C, h, w]`, in the network's own values.

        Raises
        ------
        CandidateError
            As for `decode`.
        """
        raw = self.native_scale.undo(latents) if self.settings.scaling == "native" else latents
        factor, (height, width) = self.geometry.factor, latents.shape[-2:]
        with torch.no_grad(), _full_precision():
            x = raw.to(self._device, self._dtype)
            decoded = self._in_tiles(self._images, x, 1, factor).float()
        expected = (decoded.shape[1], height * factor, width * factor)
        check_output(decoded, expected, self._name, "images", self._overflow_mend)
        return decoded[..., : size[0], : size[1]].to(latents.device)

    def _moments(self, x: Tensor) -> Tensor:
        """Mean and standard deviation of raw latents, one after the other along the channels."""
        if self.fixed_size is not None and tuple(x.shape[-2:]) != (self.fixed_size, self.fixed_size):
            side, (height, width) = self.fixed_size, x.shape[-2:]
            raise CandidateError(
                f"{self._name}: works on {side}x{side} pixels only, not on {height}x{width}; use that size, or "
                f"`settings: {{tile: {side}}}` for larger images"
            )
        taken = x.unsqueeze(2) if self._class.frames else x
        mean, sd = self._guarded("encode", lambda: latents_of(self._model.encode(taken), self._name))
        moments = torch.cat([mean, torch.zeros_like(mean) if sd is None else sd], dim=1)
        return moments.squeeze(2) if self._class.frames else moments

    def _images(self, latents: Tensor) -> Tensor:
        taken = latents.unsqueeze(2) if self._class.frames else latents
        decoded = self._guarded("decode", lambda: images_of(self._decode(self._model, taken), self._name))
        return decoded.squeeze(2) if self._class.frames else decoded

    def _guarded(self, what: str, call: Callable[[], Result]) -> Result:
        """Call the network, which may be the user's own code and fail in any way; only memory is another's affair."""
        precision = rounded(self._model, self._rounded_to) if self._rounded_to else nullcontext()
        try:
            with precision:
                return call()
        except (VaescreenError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if "DefaultCPUAllocator" in str(error):
                raise
            reason = " ".join(str(error).split())[:150]
            raise CandidateError(f"{self._name}: {what} fails ({type(error).__name__}: {reason})") from error

    def _in_tiles(
        self, function: Callable[[Tensor], Tensor], x: Tensor, unit_in: int, unit_out: int
    ) -> Tensor:
        side = (self.settings.tile or LARGEST_WHOLE) // self.geometry.factor
        if max(x.shape[-2:]) <= side * unit_in:
            return function(x)
        return in_tiles(function, x, side, unit_in, unit_out)

    def _chosen_decode(self) -> Callable[[Any, Tensor], Tensor]:
        if self.settings.quantise:
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


def fingerprint(candidate: Candidate) -> str:
    """Fingerprint of the network that `load_network` gives, from its files alone.

    Raises
    ------
    CandidateError
        If they are missing or cannot be read.
    """
    files = locate(candidate)
    config = read_config(files, candidate.name, candidate.adapter, stated_config(candidate))
    return network_fingerprint(config, weights_sha256(files, candidate.name), candidate.settings)


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
    state, beside = read_state(files, name)
    model, left_out = build(config, state, name)
    published = PUBLISHED.get(class_name_of(config, name))
    description = published.description if published else None
    identity = network_fingerprint(config, found, settings)
    network = NetworkAutoencoder(model, name, identity, device, settings, description)
    network.left_out = counted((*beside, *left_out))
    return network


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
