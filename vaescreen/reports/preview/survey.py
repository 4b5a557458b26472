"""All images of a data set seen once: how many, how gray, how sharp, and what is wrong with them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaescreen.images import DataSet, OnImages
from vaescreen.images.pixels import FloatImage
from vaescreen.images.scanning import ignore
from vaescreen.images.splits import SPLITS
from vaescreen.reports.preview.artefacts import (
    MISSING_LEVELS,
    frame_widths,
    has_blocks,
    is_clipped,
    missing_levels,
)
from vaescreen.reports.preview.duplicates import Hash, near_pairs, perceptual_hash
from vaescreen.reports.preview.spectra import BINS, Spectrum, is_upsampled, radial_power

GRAYS = 64
"""Bins of a histogram over 0 to 1."""
LARGEST = 1024
"""Side of the central part in which blocks and spectra are looked for: enough to find them, and quick."""


@dataclass(frozen=True)
class Check:
    """Something that may be wrong with an image.

    Attributes
    ----------
    name
        In a word or two.
    meaning
        What it is, and why it matters.
    usual
        Share of images up to which it is found by chance, or by the nature of what is shown.
    found_in
        Whether an image has it.
    """

    name: str
    meaning: str
    usual: float
    found_in: Callable[[FloatImage], bool]


CHECKS = (
    Check(
        "uniform frame",
        "padding or a burnt-in border with straight edges; it is scored as if it were anatomy, so crop it",
        0.01,
        lambda image: any(frame_widths(image)),
    ),
    Check(
        "clipped values",
        "more than 1 % of the pixels are white, or 2 % black inside the picture: detail was cut off there",
        0.05,
        is_clipped,
    ),
    Check(
        "missing gray levels",
        "the 8-bit histogram has holes: contrast was stretched, or bits were lost",
        0.01,
        lambda image: missing_levels(image) > MISSING_LEVELS,
    ),
    Check(
        "JPEG blocks",
        "steps on an 8-pixel grid: super-resolution would learn to make them",
        0.01,
        lambda image: has_blocks(_central(image)),
    ),
    Check(
        "upsampled",
        "the spectrum ends below Nyquist: the images were enlarged, or acquired coarser than stored, and hold less "
        "detail than their size says",
        0.15,
        lambda image: is_upsampled(_central(image)),
    ),
)
DUPLICATES = Check(
    "near-duplicates",
    "the same picture, resized or recompressed perhaps, in two splits: what is tested on was trained on",
    0.0,
    lambda image: False,
)


@dataclass(frozen=True)
class Finding:
    """Outcome of a check.

    Attributes
    ----------
    check
        What was looked for.
    ids
        Images that have it, in order; of near-duplicates those that are not in train.
    images
        Of how many.
    """

    check: Check
    ids: tuple[str, ...]
    images: int

    @property
    def share(self) -> float:
        """Part of the images that have it."""
        return len(self.ids) / self.images

    @property
    def is_warning(self) -> bool:
        """Whether it is more than usual."""
        return self.share > self.check.usual


@dataclass(frozen=True)
class Survey:
    """What was seen.

    Attributes
    ----------
    histograms
        By split: share of the pixels in each of `GRAYS` bins, the mean of its images.
    spectra
        By split: mean radial power of its images at `spectra.FREQUENCIES`.
    findings
        Of every check, near-duplicates last.
    duplicates
        Ids of two images of different splits, and the bits in which they differ of 256.
    """

    histograms: dict[str, NDArray[np.float64]]
    spectra: dict[str, Spectrum]
    findings: tuple[Finding, ...]
    duplicates: tuple[tuple[str, str, int], ...]

    def findings_json(self) -> list[dict[str, Any]]:
        """Give the findings as JSON-able records."""
        return [
            {
                "check": finding.check.name,
                "images": len(finding.ids),
                "share": finding.share,
                "usual": finding.check.usual,
                "warning": finding.is_warning,
                "ids": list(finding.ids),
            }
            for finding in self.findings
        ]


def survey(data: DataSet, on_images: OnImages = ignore) -> Survey:
    """Look at every image of every split once; only hashes and sums are kept.

    Parameters
    ----------
    data
        Best at native size: resizing hides what was done to an image before.
    on_images
        Told after each image what is being done, how many are done, and of how many.
    """
    total = sum(len(data.ids(split)) for split in SPLITS)
    histograms: dict[str, NDArray[np.float64]] = {}
    spectra: dict[str, Spectrum] = {}
    hashes: dict[str, dict[str, Hash]] = {split: {} for split in SPLITS}
    found: dict[str, list[str]] = {check.name: [] for check in CHECKS}
    done = 0
    for split in SPLITS:
        grays, powers = np.zeros(GRAYS), _Mean()
        for image_id, image in _images(data, split):
            grays += np.histogram(image, GRAYS, (0, 1))[0] / image.size
            powers.add(radial_power(_central(image)))
            hashes[split][image_id] = perceptual_hash(image)
            for check in CHECKS:
                if check.found_in(image):
                    found[check.name].append(image_id)
            done += 1
            on_images("looking at images", done, total)
        if hashes[split]:
            histograms[split], spectra[split] = grays / len(hashes[split]), powers.mean
    duplicates = tuple(_duplicates(hashes))
    twice = tuple(dict.fromkeys(later for _, later, _ in duplicates))
    findings = [Finding(check, tuple(found[check.name]), total) for check in CHECKS]
    return Survey(histograms, spectra, (*findings, Finding(DUPLICATES, twice, total)), duplicates)


class _Mean:
    """Mean of spectra, each bin over those that have a value there."""

    def __init__(self) -> None:
        self._sum, self._count = np.zeros(BINS), np.zeros(BINS)

    def add(self, spectrum: Spectrum) -> None:
        known = np.isfinite(spectrum)
        self._sum[known] += spectrum[known]
        self._count += known

    @property
    def mean(self) -> Spectrum:
        mean: Spectrum = np.divide(self._sum, self._count, out=np.full(BINS, np.nan), where=self._count > 0)
        return mean


def _images(data: DataSet, split: str) -> Iterator[tuple[str, FloatImage]]:
    for batch in data.batches(split, 1):
        yield batch.ids[0], batch.images[0, 0].numpy()


def _central(image: FloatImage) -> FloatImage:
    top, left = (max(side - LARGEST, 0) // 2 for side in image.shape)
    return image[top : top + LARGEST, left : left + LARGEST]


def _duplicates(hashes: dict[str, dict[str, Hash]]) -> Iterator[tuple[str, str, int]]:
    for one, other in itertools.combinations(SPLITS, 2):
        first, second = list(hashes[one]), list(hashes[other])
        for pair in near_pairs(list(hashes[one].values()), list(hashes[other].values())):
            yield first[pair.first], second[pair.second], pair.distance
