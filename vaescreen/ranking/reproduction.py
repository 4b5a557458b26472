"""Scoring a published row anew, and whether the figures come out as they were written."""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vaescreen.errors import ResultError
from vaescreen.execution import HERE, Machine
from vaescreen.images import DataOptions, OnImages
from vaescreen.images.scanning import ignore
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.cards import ScoreCard, card_path, read_card
from vaescreen.screening.scorer import score
from vaescreen.superres.recipes import DEFAULT, recipe_named

DECIBELS = 0.05
"""What a value in dB may differ by: another machine, library or number of threads moves the probes' last digits."""
SHARE = 0.02
"""What any other value may differ by, as a share of its size."""
_SMALL = 1e-3
_TIMES = ("encode_ms", "decode_ms")
_IN_DECIBELS = ("psnr", "_db", "detail")


@dataclass(frozen=True)
class Check:
    """One figure of a card, as published and as measured now; `tolerance` is in its own unit."""

    name: str
    published: float
    measured: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether it came out as it was written."""
        return math.isclose(self.published, self.measured, rel_tol=0, abs_tol=self.tolerance)


@dataclass(frozen=True)
class Reproduction:
    """What came of scoring a candidate anew on the images of its published card."""

    candidate: str
    data: str
    checks: tuple[Check, ...]

    @property
    def reproduced(self) -> bool:
        """Whether every figure agrees."""
        return all(check.agrees for check in self.checks)


def reproduce(
    candidate: str,
    data: str | Path | DataOptions,
    results: Path,
    *,
    recipe: str = DEFAULT,
    registry: Path | None = None,
    machine: Machine = HERE,
    on_images: OnImages = ignore,
) -> Reproduction:
    """Score a candidate anew, with the weights that its entry pins, and compare with its card.

    Parameters
    ----------
    candidate
        Name in the registry.
    data
        The images of the card: a name, a folder, or `DataOptions`.
    results
        Folder of published results; nothing is written there.
    recipe
        Whose size, degradation and conditioning the card is of.
    registry
        Registry file that is laid over the others.
    machine
        Where networks run.
    on_images
        As `on_progress` of `vaescreen.open_data`.

    Raises
    ------
    ResultError
        If there is no such card, or weights, images, view or protocol are not those of the card.
    CandidateError
        If the candidate cannot be scored.
    """
    view = recipe_named(recipe).view
    images = DataOptions.of(data).open(view.size, registry, on_images)
    path = card_path(results, images.name, candidate)
    if not path.is_file():
        raise ResultError(f"there is no published card {path}; give the folder that has it as --results")
    published = read_card(path)
    with tempfile.TemporaryDirectory() as folder:
        measured = score(
            Registry.load(registry).candidate(candidate),
            images,
            view,
            results=Path(folder),
            seed=published.seed,
            device=machine.place,
        )
    _same_question(path, published, measured)
    shared = [name for name in published.summary if name not in _TIMES and name in measured.summary]
    checks = tuple(_check(name, published.summary[name], measured.summary[name]) for name in shared)
    return Reproduction(candidate, images.name, checks)


def _same_question(path: Path, published: ScoreCard, measured: ScoreCard) -> None:
    for what, theirs, ours in (
        ("weights", published.fingerprint, measured.fingerprint),
        ("images", published.data["fingerprint"], measured.data["fingerprint"]),
        ("size, degradation or conditioning", published.view, measured.view),
        ("protocol", published.protocol, measured.protocol),
    ):
        if theirs != ours:
            raise ResultError(f"{path} is of other {what} than these: nothing can be said of its figures")


def _check(name: str, published: float, measured: float) -> Check:
    in_decibels = any(part in name for part in _IN_DECIBELS)
    tolerance = DECIBELS if in_decibels else max(SHARE * abs(published), _SMALL)
    return Check(name, published, measured, tolerance)
