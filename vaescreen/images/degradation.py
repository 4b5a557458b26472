"""The recorded way from a high-resolution image to its low-resolution version, and the bicubic way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor

from vaescreen.errors import DataError
from vaescreen.images.noise import Noise, magnitude
from vaescreen.images.reduction import interpolate, resize, truncate_kspace

Kernel = Literal["lanczos", "bicubic", "area", "kspace"]
Library = Literal["Pillow", "torch"]
Interpolation = Literal["nearest", "bicubic", "lanczos"]

KERNELS: tuple[Kernel, ...] = get_args(Kernel)
LIBRARIES: tuple[Library, ...] = get_args(Library)
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
SCALES = (2, 4, 8)

_PILLOW_FILTERS = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
}

_INTERPOLATIONS: dict[Interpolation, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_SEEDED_BY = "image id"


@dataclass(frozen=True)
class Degradation:
    """Reduction of images by an integer factor.

    `lanczos`, `bicubic` and `area` (the mean of each block) are Pillow's antialiased filters on float32
    pixels; `bicubic` may also be PyTorch's, with or without antialiasing, as published code often has it.
    `kspace` is what a shorter MR acquisition does: see `truncate_kspace`.

    Parameters
    ----------
    kernel
        One of `KERNELS`.
    scale
        One of `SCALES`.
    library
        Whose filter: "torch" has bicubic alone. The Fourier transform of `kspace` is always PyTorch's.
    antialias
        False for torch's bicubic interpolation without antialiasing.
    noise
        Added to the LR image, which is clamped to [0, 1] after it; None for none.

    Raises
    ------
    DataError
        If kernel, scale or library is unknown, or they do not go together.
    """

    kernel: Kernel
    scale: int
    library: Library = "Pillow"
    antialias: bool = True
    noise: Noise | None = None

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise DataError(f"unknown degradation {self.kernel!r}; give one of {', '.join(KERNELS)}")
        if self.scale not in SCALES:
            raise DataError(f"scale {self.scale} is not supported; give one of {', '.join(map(str, SCALES))}")
        if self.library not in LIBRARIES:
            raise DataError(f"unknown library {self.library!r}; give one of {', '.join(LIBRARIES)}")
        if self.library == "torch" and self.kernel != "bicubic":
            raise DataError(f"torch is a choice for bicubic alone, not for {self.kernel}")
        if not self.antialias and self.library != "torch":
            raise DataError(
                f"{self.kernel} by {self.library} is always antialiased; only torch's bicubic can do without"
            )

    def __str__(self) -> str:
        """Short form for titles, such as `lanczos x4` or `kspace rician0.02 x4`."""
        return f"{self.way} x{self.scale}"

    @property
    def way(self) -> str:
        """All but the scale: the kernel, and what is not as usual of library, antialiasing and noise."""
        words = [str(self.kernel)]
        if self.library == "torch":
            words += ["torch"] if self.antialias else ["torch", "aliased"]
        if self.noise:
            words.append(f"{self.noise.kind}{np.format_float_positional(self.noise.sd, trim='-')}")
            words += [f"seed{self.noise.seed}"] if self.noise.seed else []
        return " ".join(words)

    @property
    def name(self) -> str:
        """What `degradation_named` makes the same degradation of, such as `lanczos-x4`."""
        return str(self).replace(" ", "-")

    def apply(self, images: Tensor, ids: Sequence[str] | None = None) -> Tensor:
        """Reduce images `[B, 1, H, W]` in [0, 1] to `[B, 1, H / scale, W / scale]`, clamped to [0, 1].

        Dtype and device are kept; the arithmetic is at least float32.

        Parameters
        ----------
        images
            The HR images.
        ids
            Image ids, which noise follows from; without noise they may be left out.

        Raises
        ------
        DataError
            If H or W is not a multiple of the scale, or there is noise and not an id for each image.
        """
        height, width = images.shape[-2:]
        if height % self.scale or width % self.scale:
            raise DataError(f"images of {height}x{width} pixels cannot be reduced {self.scale} times exactly")
        work = images if images.dtype == torch.float64 else images.float()
        lr = self._reduced(work, (height // self.scale, width // self.scale))
        if self.noise:
            if ids is None or len(ids) != len(images):
                raise DataError(f"{self} follows from image ids: give one for each of {len(images)} images")
            lr = self.noise.added(lr, ids)
        return magnitude(lr).clamp(0, 1).to(images.dtype)

    def _reduced(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        if self.kernel == "kspace":
            return truncate_kspace(images, self.scale)
        if self.library == "torch":
            return interpolate(images, size, antialias=self.antialias)
        return resize(images, size, _PILLOW_FILTERS[self.kernel])

    def upsample(self, lr: Tensor, size: tuple[int, int], by: Interpolation = "bicubic") -> Tensor:
        """Enlarge `[B, 1, h, w]` to `[B, 1, *size]` by a filter of Pillow, clamped; bicubic is the floor of SR."""
        return resize(lr, size, _INTERPOLATIONS[by])

    def description(self) -> dict[str, Any]:
        """Everything needed to do the same again, as JSON-able values; `from_description` reads it."""
        library: dict[str, Any]
        if self.kernel == "kspace":
            library = {
                "library": "torch.fft",
                "version": torch.__version__,
                "antialias": True,
                "magnitude": True,
            }
        elif self.library == "torch":
            library = {"library": "torch", "version": torch.__version__, "antialias": self.antialias}
        else:
            library = {"library": "Pillow", "version": PIL.__version__, "antialias": True}
        noise = self.noise and {"kind": self.noise.kind, "sd": self.noise.sd, "seed": self.noise.seed}
        return {
            "kernel": self.kernel,
            "scale": self.scale,
            **library,
            **({"noise": noise | {"seeded_by": _SEEDED_BY}} if noise else {}),
            "upsample": f"Pillow {PIL.__version__} bicubic",
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> "Degradation":
        """Make a degradation of what `description` gave, in whatever version of the libraries.

        Kernel and scale suffice; what else is absent is as usual.

        Raises
        ------
        DataError
            If it says what this version cannot do.
        """
        try:
            noise = description.get("noise")
            return cls(
                description["kernel"],
                description["scale"],
                "torch" if description.get("library") == "torch" else "Pillow",
                description.get("antialias", True),
                Noise(noise["kind"], noise["sd"], noise["seed"]) if noise else None,
            )
        except (KeyError, TypeError) as error:
            raise DataError(f"{dict(description)} does not describe a degradation ({error!r})") from error
