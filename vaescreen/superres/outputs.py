"""Images that a reference point made, kept on request: what hallucination is measured on, and what `compare` reads.

One `.npz` file beside the result, NAME.outputs.npz, without pickles: `ids` and `patients` (text), `reconstructions`
(uint16 `[N, H, W]`, the autoencoder's own decode of the true image) and `samples` (uint16 `[N, S, H, W]`, what the
sampler made). Pixels are scaled from [0, 1] to 0..65535, which is 107 dB from what they were.
"""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaescreen.errors import DataError, ResultError
from vaescreen.storage import write_bytes

OUTPUTS = ".outputs.npz"
"""What the file of images beside a reference point ends in."""
OUTPUTS_SEAL = "outputs_sha256"
"""Field of a reference point that holds the hash of its images' file, where they were kept."""
_WHITE = 65535


@dataclass(frozen=True)
class Outputs:
    """Images of one reference point.

    Attributes
    ----------
    ids, patients
        Of the test images, `[N]`.
    images
        The first sample of each, float32 `[N, 1, H, W]` in [0, 1].
    reconstructions
        The autoencoder's decode of the true image, `[N, 1, H, W]`.
    samples
        All samples, `[N, S, 1, H, W]`.
    """

    ids: tuple[str, ...]
    patients: tuple[str, ...]
    images: Tensor
    reconstructions: Tensor
    samples: Tensor

    def of(self, ids: Sequence[str]) -> "Outputs":
        """Take the images with these ids, in this order.

        Raises
        ------
        DataError
            If one is missing.
        """
        place = {image_id: number for number, image_id in enumerate(self.ids)}
        missing = [image_id for image_id in ids if image_id not in place]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(ids)} images have no output, {missing[0]} for one; make the outputs again "
                "on the same data"
            )
        order = [place[image_id] for image_id in ids]
        return Outputs(
            tuple(self.ids[number] for number in order),
            tuple(self.patients[number] for number in order),
            self.images[order],
            self.reconstructions[order],
            self.samples[order],
        )


class OutputsWriter:
    """Collects images batch by batch and writes them as one file."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._patients: list[str] = []
        self._reconstructions: list[np.ndarray] = []
        self._samples: list[np.ndarray] = []

    def add(
        self, ids: Sequence[str], patients: Sequence[str], reconstructions: Tensor, samples: Tensor
    ) -> None:
        """Take reconstructions `[B, 1, H, W]` and samples `[B, S, 1, H, W]` in [0, 1]."""
        self._ids += ids
        self._patients += patients
        self._reconstructions.append(_packed(reconstructions[:, 0]))
        self._samples.append(_packed(samples[:, :, 0]))

    def write(self, path: Path) -> str:
        """Write everything taken, atomically; give the hash of the file.

        Raises
        ------
        CacheError
            If the file cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            ids=np.array(self._ids),
            patients=np.array(self._patients),
            reconstructions=np.concatenate(self._reconstructions),
            samples=np.concatenate(self._samples),
        )
        data = buffer.getvalue()
        write_bytes(path, data)
        return hashlib.sha256(data).hexdigest()


def outputs_path(point: Path) -> Path:
    """Where the images of a reference point lie, given its JSON file."""
    return point.with_suffix(OUTPUTS)


def load_outputs(path: Path) -> Outputs:
    """Read the images of a reference point.

    Parameters
    ----------
    path
        The `.outputs.npz` file, or the result's JSON file beside it.

    Raises
    ------
    ResultError
        If the file is missing or damaged.
    """
    path = outputs_path(path) if path.suffix == ".json" else path
    try:
        with np.load(path, allow_pickle=False) as file:
            ids, patients = (tuple(map(str, file[name])) for name in ("ids", "patients"))
            reconstructions, samples = (_unpacked(file[name]) for name in ("reconstructions", "samples"))
    except FileNotFoundError as error:
        raise ResultError(
            f"there are no images {path}; make them with `vaescreen reference evaluate --save-outputs`"
        ) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path} cannot be read ({error}); delete it and make it again") from error
    return Outputs(ids, patients, samples[:, 0, None], reconstructions[:, None], samples[:, :, None])


def _packed(images: Tensor) -> np.ndarray:
    pixels = (images.double().clamp(0, 1) * _WHITE).round()
    return pixels.cpu().numpy().astype(np.uint16)


def _unpacked(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy((pixels / _WHITE).astype(np.float32))
