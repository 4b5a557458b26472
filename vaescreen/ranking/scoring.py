"""Screening by names: candidates of a registry, a data set, and what to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from vaescreen.errors import CandidateError
from vaescreen.execution import HERE, Machine, workers_ahead
from vaescreen.images import DataOptions, OnImages, Skipped
from vaescreen.images.degradation import Degradation, Kernel
from vaescreen.images.degradation_names import degradation_named
from vaescreen.images.scanning import ignore
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.campaign import OnCard, OnProgress, keep_quiet, screen
from vaescreen.screening.cards import ScoreCard
from vaescreen.screening.view import View
from vaescreen.storage import cache_dir
from vaescreen.superres.recipes import DEFAULT, RECIPES, recipe_named

_IMPORTED = ("vaescreen.screening.campaign", "diffusers.models.modeling_utils")
"""What takes a worker seconds to import, and almost every candidate needs."""


@dataclass(frozen=True)
class Workplace:
    """Where screening finds candidates and keeps cards, what it runs on, and who is told how far it is.

    Attributes
    ----------
    registry : Path or None
        Registry file that is laid over the others (see `vaescreen.registry.catalogue`).
    results : Path or None
        Folder of score cards, by default in the cache; what is there and still valid is not measured again.
    machine : Machine
        Where candidates are measured, and how many at a time.
    on_progress : callable
        Called with the candidate that is done, the number done so far, and the number in all.
    on_images : callable
        Called while the data are opened: with what is being done, files or images done, and that in all.
    on_card : callable
        Called with each score card as soon as it is there, before `on_progress`.
    """

    registry: Path | None = None
    results: Path | None = None
    machine: Machine = HERE
    on_progress: OnProgress = ignore
    on_images: OnImages = ignore
    on_card: OnCard = keep_quiet

    @property
    def folder(self) -> Path:
        """Where score cards are."""
        return self.results or cache_dir() / "results"


USUAL = Workplace()
"""The registries that are found, cards in the cache, this machine, and nobody told."""


@dataclass(frozen=True)
class Scoring:
    """Score cards of candidates on one data set.

    Attributes
    ----------
    cards : tuple of ScoreCard
        In the order of the candidates.
    failed : dict
        The reason of each candidate that has no card.
    skipped : tuple of Skipped
        Images that cannot be used.
    warnings : tuple of str
        What makes the numbers doubtful, such as patients that were not found.
    view : View
        Size and degradation of the cards.
    """

    cards: tuple[ScoreCard, ...]
    failed: dict[str, str]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    view: View


class ScoreJson(TypedDict):
    """What `vaescreen score --format json` prints."""

    cards: list[ScoreCard]
    failed: dict[str, str]
    warnings: list[str]
    skipped: list[Skipped]


def score(
    candidates: Sequence[str],
    data: str | Path | DataOptions,
    *,
    recipe: str | None = None,
    size: int | None = RECIPES[DEFAULT].size,
    scale: int = 4,
    kernel: Kernel = "lanczos",
    degradation: str | None = None,
    at: Workplace = USUAL,
) -> Scoring:
    """Measure candidates, or take their cards from `results` where nothing has changed.

    Parameters
    ----------
    candidates
        Names in the registry.
    data
        Name of a data set (see `vaescreen.images.declared`), or a folder of images; with more said of them,
        `vaescreen.images.DataOptions`, whose seed is that of the probes too.
    recipe
        Recipe whose size and degradation are taken instead of what follows.
    size
        Side of the HR images in pixels, a multiple of 8; None for the size that each image has, cut at its
        border to a multiple of the scale.
    scale, kernel
        See `vaescreen.images.degradation.Degradation`.
    degradation
        Name of a degradation instead of scale and kernel, such as `paper`, `bicubic-x4-torch-aliased` or
        `kspace-x4-rician0.02`; see `vaescreen.images.degradation_names.degradation_named`.
    at
        Registry, folder of cards, machine, and who is told of progress.

    Raises
    ------
    VaescreenError
        In one line: data, a name, a folder or a registry that cannot be used, or no candidate that could be
        scored. A candidate that fails beside others that do not is in `Scoring.failed` instead.
    """
    if recipe is not None:
        view = view_of(recipe)
    else:
        view = View(size, degradation_named(degradation) if degradation else Degradation(kernel, scale))
    known = Registry.load(at.registry)
    chosen = [known.candidate(candidate) for candidate in dict.fromkeys(candidates)]
    options, place = DataOptions.of(data), at.machine.place
    new = [candidate for candidate in chosen if not any(at.folder.glob(f"scores/*/{candidate.name}.json"))]
    with workers_ahead(at.machine, len(new), _IMPORTED):
        images = options.open(view.size, at.registry, at.on_images)
        screening = screen(
            chosen,
            images,
            view,
            results=at.folder,
            processes=at.machine.processes,
            engine=at.machine.engine,
            time_limit=at.machine.time_limit,
            seed=options.seed,
            device=place,
            on_progress=at.on_progress,
            on_card=at.on_card,
        )
    if not screening.cards:
        raise CandidateError(all_failed(screening.failed))
    return Scoring(screening.cards, screening.failed, images.skipped, images.warnings, view)


def view_of(recipe: str) -> View:
    """Size and degradation of a recipe.

    Raises
    ------
    ResultError
        If there is none of that name.
    """
    chosen = recipe_named(recipe)
    return chosen.view


def all_failed(reasons: dict[str, str]) -> str:
    """One line for when no candidate is left."""
    first = next(iter(reasons.values()), "no candidate was named; give at least one")
    return first if len(reasons) <= 1 else f"all {len(reasons)} candidates failed; the first: {first}"
