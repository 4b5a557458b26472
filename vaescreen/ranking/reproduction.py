"""Scoring a published row anew, and whether the figures come out as they were written."""

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.autoencoders import fingerprint_of
from vaescreen.errors import DamagedError, ResultError
from vaescreen.execution import HERE, Machine
from vaescreen.images import DataOptions, OnImages
from vaescreen.images.scanning import ignore
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.cards import PROTOCOL, ScoreCard, card_path, read_card
from vaescreen.screening.scorer import score
from vaescreen.screening.view import View
from vaescreen.storage import digest, read_json, say, write_json
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
    """What came of scoring a candidate anew on the images of its published card.

    `card` is the digest of that card, `environment` what it was scored with now.
    """

    candidate: str
    data: str
    card: str
    checks: tuple[Check, ...]
    environment: dict[str, Any]

    @property
    def reproduced(self) -> bool:
        """Whether every figure agrees."""
        return all(check.agrees for check in self.checks)

    @property
    def largest_difference(self) -> float:
        """Of the figures in dB."""
        return max(
            (abs(each.published - each.measured) for each in self.checks if each.tolerance == DECIBELS),
            default=0.0,
        )


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
    published, entry = read_card(path), Registry.load(registry).candidate(candidate)
    _same_question(path, published, fingerprint_of(entry, images), images.fingerprint, view)
    with tempfile.TemporaryDirectory() as folder:
        measured = score(entry, images, view, results=Path(folder), seed=published.seed, device=machine.place)
    shared = [name for name in published.summary if name not in _TIMES and name in measured.summary]
    checks = tuple(_check(name, published.summary[name], measured.summary[name]) for name in shared)
    return Reproduction(
        candidate, images.name, card_digest(published.to_json()), checks, measured.environment
    )


def card_digest(record: Mapping[str, Any]) -> str:
    """Tell a score card, as in its file, from all others."""
    return digest(dict(record))


def record_path(results: Path, data: str, candidate: str) -> Path:
    """Where it is written down, in a folder of results, that a row was reproduced."""
    return results / "reproduced" / data / f"{candidate}.json"


def write_record(results: Path, found: Reproduction) -> Path:
    """Write down that a row was reproduced, with what and how closely; one that was not loses its record.

    Raises
    ------
    CacheError
        If it cannot be written.
    """
    path = record_path(results, found.data, found.candidate)
    if found.reproduced:
        difference = round(found.largest_difference, 6)
        write_json(
            path,
            {"card": found.card, "largest_difference_db": difference, "environment": found.environment},
        )
    else:
        path.unlink(missing_ok=True)
    return path


def read_record(results: Path, card: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is written down of the reproduction of a score card, as in its file; None if that is not this very card.

    A record that is damaged does not count, which is told.
    """
    path = record_path(results, card["data"]["name"], card["candidate"])
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = read_json(path)
    except DamagedError as error:
        say(str(error))
        return None
    return record if record.get("card") == card_digest(card) else None


def _same_question(path: Path, published: ScoreCard, weights: str, images: str, view: View) -> None:
    """Look before the work whether it can answer anything."""
    for what, theirs, ours in (
        ("weights", published.fingerprint, weights),
        ("images", published.data["fingerprint"], images),
        ("size, degradation or conditioning", published.view, view.description()),
        ("protocol", published.protocol, PROTOCOL),
    ):
        if theirs != ours:
            raise ResultError(f"{path} is of other {what} than these: nothing can be said of its figures")


def _check(name: str, published: float, measured: float) -> Check:
    in_decibels = any(part in name for part in _IN_DECIBELS)
    tolerance = DECIBELS if in_decibels else max(SHARE * abs(published), _SMALL)
    return Check(name, published, measured, tolerance)
