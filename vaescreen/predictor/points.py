"""Reference points joined with the score cards of the same autoencoder on the same images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import ResultError
from vaescreen.storage import read_json
from vaescreen.superres.paths import PointFile, point_files

TARGETS = ("sr_psnr", "posterior_mean_psnr")

_COPIED = {
    "ae_ceiling": "psnr",
    "ridge_probe_psnr": "ridge_probe_psnr",
    "conv_probe_psnr": "conv_probe_psnr",
    "bicubic_psnr": "bicubic_psnr",
    "ssim": "ssim",
}
_FINEST_BANDS = ("band_LH1", "band_HL1", "band_HH1")
_NO_ERROR = 1e-12


class Definition(NamedTuple):
    """What a measurement was: image size (None = native), degradation, protocol of the score card."""

    size: int | None
    kernel: str
    scale: int
    protocol: str

    def __str__(self) -> str:
        """One phrase for messages."""
        size = f"{self.size} pixels" if self.size else "native size"
        return f"{size}, {self.kernel} x{self.scale}, {self.protocol}"


@dataclass(frozen=True)
class Point:
    """One (candidate, data set, recipe): what screening saw, and what training gave.

    `features` are those of `card_features`; `targets` has a PSNR against the true HR image in dB for each
    name in `TARGETS`.
    """

    candidate: str
    family: str
    domain: str
    geometry: Geometry
    data: str
    recipe: str
    definition: Definition
    features: dict[str, float]
    targets: dict[str, float]


def card_features(card: Mapping[str, Any], where: str = "score card") -> dict[str, float]:
    """Everything of a score card that a predictor may use.

    Parameters
    ----------
    card : mapping
        Score card as read from its JSON file.
    where : str
        What error messages call the card.

    Returns
    -------
    dict
        `ae_ceiling`, `ridge_probe_psnr`, `conv_probe_psnr`, `bicubic_psnr` in dB; `ssim`;
        `log2_compression`, the logarithm of pixels per latent value, f * f / C; `log10_finest_share`, the
        logarithm of the finest Haar level's share of the squared error.

    Raises
    ------
    ResultError
        If a value is missing or not finite.
    """
    summary = _field(card, where, "summary")
    bands = [name for name in summary if name.startswith("band_")]
    error = {name: _number(card, where, "summary", name) for name in {*bands, *_FINEST_BANDS}}
    finest = sum(error[name] for name in _FINEST_BANDS)
    channels = _number(card, where, "geometry", "channels")
    factor = _number(card, where, "geometry", "factor")
    return {
        **{name: _number(card, where, "summary", key) for name, key in _COPIED.items()},
        "log2_compression": math.log2(factor**2 / channels),
        "log10_finest_share": math.log10((finest + _NO_ERROR) / (sum(error.values()) + _NO_ERROR)),
    }


def card_definition(card: Mapping[str, Any], where: str = "score card") -> Definition:
    """How a score card was measured.

    Raises
    ------
    ResultError
        If the card does not say.
    """
    return _definition(_field(card, where, "view"), where, _field(card, where, "protocol"))


def load_points(results: Path, recipe: str) -> list[Point]:
    """Read all reference points of a recipe, averaged over their seeds, each with its score card.

    Parameters
    ----------
    results : Path
        Folder with `reference/<recipe>/<data>/<candidate>-seed<n>.json` and `scores/<data>/<candidate>.json`.
    recipe : str
        Name of the recipe.

    Returns
    -------
    list of Point
        Ordered by data set, then candidate.

    Raises
    ------
    ResultError
        If there are no points; a point has no score card; the card is of other weights or images, or of
        another size or degradation; or points were not all made and measured in the same way.
    """
    files = point_files(results, recipe)
    if not files:
        raise ResultError(
            f"no reference points of recipe {recipe!r} under {results / 'reference' / recipe}; "
            "train some with `vaescreen reference train`, or give the folder that has them"
        )
    references = {file.path: read_json(file.path) for file in files}
    first, *others = references
    for key in ("protocol", "recipe"):
        for path in others:
            if _field(references[path], path, key) != _field(references[first], first, key):
                raise ResultError(f"{path} has another {key} than {first}; train one of them again")
    joined = [_join(results, file, references[file.path]) for file in files]
    for path, point in zip(references, joined, strict=True):
        if point.definition != joined[0].definition:
            raise ResultError(
                f"the score card of {path} is of {point.definition}, that of {first} "
                f"of {joined[0].definition}; score one of them again"
            )
    return [
        _mean(list(seeds)) for _, seeds in groupby(joined, key=lambda point: (point.data, point.candidate))
    ]


def _mean(seeds: Sequence[Point]) -> Point:
    targets = {name: fmean(point.targets[name] for point in seeds) for name in TARGETS}
    return replace(seeds[0], targets=targets)


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
        named = _field(record, where, "candidate"), _field(record, where, "data", "name")
        if named != (candidate, data):
            raise ResultError(f"{where} is of {named[0]} on {named[1]}; move it to where it belongs")
    for key, what in ((("fingerprint",), "autoencoder"), (("data", "fingerprint"), "data")):
        if _field(reference, path, *key) != _field(card, card_path, *key):
            raise ResultError(
                f"{path} and {card_path} differ in the fingerprint of the {what}; run the older one again"
            )
    definition = card_definition(card, str(card_path))
    settings = _field(reference, path, "recipe")
    trained = _definition(settings.get("view", settings), path, definition.protocol)
    if trained != definition:
        raise ResultError(f"{path} was trained at {trained}, but {card_path} is of {definition}; score again")
    return Point(
        candidate=candidate,
        family=_field(card, card_path, "family"),
        domain=_field(card, card_path, "domain"),
        geometry=Geometry(**_field(card, card_path, "geometry")),
        data=data,
        recipe=recipe,
        definition=definition,
        features=card_features(card, str(card_path)),
        targets={name: _number(reference, path, "summary", name) for name in TARGETS},
    )


def _definition(view: Mapping[str, Any], where: object, protocol: str) -> Definition:
    return Definition(
        size=_field(view, where, "size"),
        kernel=_field(view, where, "degradation", "kernel"),
        scale=_field(view, where, "degradation", "scale"),
        protocol=protocol,
    )


def _number(record: Mapping[str, Any], where: object, *keys: str) -> float:
    value = _field(record, where, *keys)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ResultError(f"{where}: {'.'.join(keys)} is {value!r}, not a finite number; make the file again")
    return float(value)


def _field(record: Mapping[str, Any], where: object, *keys: str) -> Any:
    value: Any = record
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            raise ResultError(f"{where}: field {'.'.join(keys)} is missing; make the file again")
        value = value[key]
    return value
