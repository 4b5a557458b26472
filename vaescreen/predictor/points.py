"""Reference points: score cards joined with what training reached, seeds of one training taken together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import DataError, ResultError
from vaescreen.images.degradation import Degradation
from vaescreen.predictor import fields
from vaescreen.predictor.features import card_features
from vaescreen.screening.conditioning import Conditioning
from vaescreen.storage import read_json
from vaescreen.superres.paths import PointFile, point_files

TARGETS = ("sr_psnr", "posterior_mean_psnr", "detail")
"""PSNR of one sample, PSNR of the posterior mean, and the detail that a sample keeps, all in dB."""


_OURS = ("bundled-", "linear-", "control-")
"""How families of the project's own autoencoders begin."""


class Definition(NamedTuple):
    """What a measurement was: image size (None = native), degradation, conditioning, protocol of the score card.

    `kernel` is all of the degradation but its scale, such as `lanczos` or `kspace rician0.02`.
    """

    size: int | None
    kernel: str
    scale: int
    conditioning: str
    protocol: str

    def __str__(self) -> str:
        """One phrase for messages."""
        size = f"{self.size} pixels" if self.size else "native size"
        return f"{size}, {self.kernel} x{self.scale}, {self.conditioning}, {self.protocol}"


@dataclass(frozen=True)
class Point:
    """One (candidate, data set, recipe): what screening saw, and what training gave, mean over its seeds.

    `features` are those of `card_features`; `targets` has a value against the true HR image in dB for each
    name in `TARGETS`, the mean over `seeds` trainings, and `seed_sd` their standard deviation, if there are
    two or more. `data_fingerprint` tells the data set from others of the same name.
    """

    candidate: str
    family: str
    domain: str
    geometry: Geometry
    data: str
    data_fingerprint: str
    recipe: str
    definition: Definition
    features: dict[str, float]
    targets: dict[str, float]
    seeds: int = 1
    seed_sd: dict[str, float] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether the autoencoder is one of this project: bundled, linear or a control."""
        return self.family.startswith(_OURS)


def card_definition(card: Mapping[str, Any], where: str = "score card") -> Definition:
    """How a score card was measured.

    Raises
    ------
    ResultError
        If the card does not say.
    """
    return _definition(fields.field(card, where, "view"), where, fields.field(card, where, "protocol"))


def load_points(results: Path, recipe: str, doubtful: Collection[Path] = ()) -> list[Point]:
    """Read all reference points of a recipe, each with its score card.

    Parameters
    ----------
    results : Path
        Folder with `reference/<recipe>/<data>/<candidate>-seed<n>.json` and `scores/<data>/<candidate>.json`.
    recipe : str
        Name of the recipe.
    doubtful : collection of Path
        Files of reference points that are not read.

    Returns
    -------
    list of Point
        Ordered by data set, then candidate; seeds of one candidate and data set are one point.

    Raises
    ------
    ResultError
        If there are no points; a point has no score card; the card is of other weights or images, or of
        another size, degradation or conditioning; or points were not all made and measured in the same way.
    """
    files = [file for file in point_files(results, recipe) if file.path not in doubtful]
    if not files:
        raise ResultError(
            f"no reference points of recipe {recipe!r} under {results / 'reference' / recipe}; "
            "train some with `vaescreen reference train`, or give the folder that has them"
        )
    references = {file.path: read_json(file.path) for file in files}
    first, *others = references
    for key in ("protocol", "recipe"):
        for path in others:
            if fields.field(references[path], path, key) != fields.field(references[first], first, key):
                raise ResultError(f"{path} has another {key} than {first}; train one of them again")
    runs = {file.path: _join(results, file, references[file.path]) for file in files}
    for path, point in runs.items():
        if point.definition != runs[first].definition:
            raise ResultError(
                f"the score card of {path} is of {point.definition}, that of {first} "
                f"of {runs[first].definition}; score one of them again"
            )
    ordered = sorted(runs.values(), key=_identity)
    return [_mean(list(seeds)) for _, seeds in groupby(ordered, key=_identity)]


def merge_points(shipped: Sequence[Point], own: Sequence[Point]) -> list[Point]:
    """Points of both; where both have a candidate on a data set, that of `own`.

    Raises
    ------
    ResultError
        If they were measured in different ways.
    """
    if shipped and own and shipped[0].definition != own[0].definition:
        raise ResultError(
            f"the shipped reference points are of {shipped[0].definition}, yours of {own[0].definition}; "
            "fit one of both alone"
        )
    points = {_identity(point): point for point in (*shipped, *own)}
    return [points[identity] for identity in sorted(points)]


def _identity(point: Point) -> tuple[str, str, str]:
    return point.data, point.data_fingerprint, point.candidate


def _mean(seeds: Sequence[Point]) -> Point:
    sd = {name: stdev(point.targets[name] for point in seeds) for name in TARGETS} if len(seeds) > 1 else {}
    targets = {name: fmean(point.targets[name] for point in seeds) for name in TARGETS}
    return replace(seeds[0], targets=targets, seeds=len(seeds), seed_sd=sd)


def _join(results: Path, file: PointFile, reference: Mapping[str, Any]) -> Point:
    path, recipe, data, candidate, _ = file
    card_path = results / "scores" / data / f"{candidate}.json"
    if not card_path.is_file():
        raise ResultError(
            f"reference point {path} has no score card {card_path}; "
            f"run `vaescreen score {candidate} --data {data} --recipe {recipe}`"
        )
    card = read_json(card_path)
    for record, where in ((reference, path), (card, card_path)):
        named = fields.field(record, where, "candidate"), fields.field(record, where, "data", "name")
        if named != (candidate, data):
            raise ResultError(f"{where} is of {named[0]} on {named[1]}; move it to where it belongs")
    for key, what in ((("fingerprint",), "autoencoder"), (("data", "fingerprint"), "data")):
        if fields.field(reference, path, *key) != fields.field(card, card_path, *key):
            raise ResultError(
                f"{path} and {card_path} differ in the fingerprint of the {what}; run the older one again"
            )
    definition = card_definition(card, str(card_path))
    settings = fields.field(reference, path, "recipe")
    trained = _definition(settings, path, definition.protocol)
    if trained != definition:
        raise ResultError(f"{path} was trained at {trained}, but {card_path} is of {definition}; score again")
    return Point(
        candidate=candidate,
        family=fields.field(card, card_path, "family"),
        domain=fields.field(card, card_path, "domain"),
        geometry=Geometry(**fields.field(card, card_path, "geometry")),
        data=data,
        data_fingerprint=fields.field(card, card_path, "data", "fingerprint"),
        recipe=recipe,
        definition=definition,
        features=card_features(card, str(card_path)),
        targets={name: fields.number(reference, path, "summary", name) for name in TARGETS},
    )


def _definition(view: Mapping[str, Any], where: object, protocol: str) -> Definition:
    try:
        degradation = Degradation.from_description(fields.field(view, where, "degradation"))
    except DataError as error:
        raise ResultError(f"{where}: {error}") from error
    told = fields.field(view, where, "conditioning")
    return Definition(
        size=fields.field(view, where, "size"),
        kernel=degradation.way,
        scale=degradation.scale,
        conditioning=str(Conditioning(tuple(told), fields.field(view, where, "target"))),
        protocol=protocol,
    )
