"""What is refused in result files: wrong schema or place, missing images, impossible or suspicious values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from pydantic import ValidationError

from vaescreen.errors import ResultError
from vaescreen.images.degradation import Degradation
from vaescreen.metrics.fidelity import HIGHEST_PSNR
from vaescreen.ranking.schema import Schema
from vaescreen.superres.paths import parse_point_path

MEAN_TOLERANCE = 1e-4
CONTROLS = ("linear-", "control-")
"""Families that linear codecs and what is made to fail begin with: to compare with, not to build on."""
IDS = ("image_id", "patient_id")

_SIGNED = ("_db", "_slope", "detail")
_LARGEST = float(np.finfo(np.float64).max)
_MAIN = {
    "score-1": "psnr",
    "score-2": "psnr",
    "score-3": "psnr",
    "reference-1": "sr_psnr",
    "reference-2": "sr_psnr",
}


@dataclass(frozen=True)
class ResultFile:
    """A result: `path` within the results folder, the JSON `record`, and one row of values an image."""

    path: Path
    record: Mapping[str, Any]
    images: pd.DataFrame

    @cached_property
    def main_values(self) -> bytes:
        """The values that the protocol is about, in the order of image ids, to be compared with others."""
        ordered = self.images.sort_values("image_id")
        return ordered[_MAIN[self.record["protocol"]]].to_numpy(dtype=np.float64).tobytes()


def check_file(file: ResultFile, schema: Schema) -> None:
    """Check one result by itself.

    Raises
    ------
    ResultError
        If the record breaks the schema or is of another candidate or data set than its path says; an image is
        missing or twice there; a value is impossible, or a summary is not the mean of its column.
    """
    record, images = file.record, file.images
    try:
        schema.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        _refuse(file, f"{where}: {first['msg'].lower()}")
    named = record["data"]["name"], record["candidate"]
    if named != (file.path.parent.name, _candidate(file)):
        _refuse(file, f"it is of {named[1]} on {named[0]}, not where it belongs")
    for column in (*IDS, _MAIN[record["protocol"]]):
        if column not in images:
            _refuse(file, f"its per-image table has no column {column}")
    twice = images["image_id"][images["image_id"].duplicated()]
    if len(twice):
        _refuse(file, f"image {twice.iloc[0]} is in it twice")
    found = {"test_images": len(images), "test_patients": images["patient_id"].nunique()}
    for key, number in found.items():
        expected = record.get("counts", {}).get(key, number)
        if number != expected:
            _refuse(file, f"its per-image table has {number} {key.replace('_', ' ')}, not {expected}")
    _check_values(file)


def check_beside(file: ResultFile, others: Sequence[ResultFile]) -> None:
    """Check that a result belongs beside others on the same data set.

    Two linear codecs may have the same values, since some of them span the same space, and so may the controls
    made of them; any other two candidates with the same values are one under two names.

    Raises
    ------
    ResultError
        If it was made on other images than they, at another size or degradation, or has the values of one of them.
    """
    if not others:
        return
    first = others[0]
    if file.record["data"]["fingerprint"] != first.record["data"]["fingerprint"]:
        _refuse(file, f"its images are not those of {first.path}: the fingerprints differ")
    missing = set(first.images["image_id"]).symmetric_difference(file.images["image_id"])
    if missing:
        _refuse(file, f"image {min(missing)} is in only one of it and {first.path}")
    if {"view"} <= first.record.keys() & file.record.keys() and _view(file) != _view(first):
        _refuse(file, f"it is of {_view(file)}, but {first.path} of {_view(first)}")
    floors = [part.record["summary"].get("bicubic_psnr") for part in (first, file)]
    if None not in floors and not math.isclose(*floors, abs_tol=MEAN_TOLERANCE):
        _refuse(file, f"its bicubic PSNR is {floors[1]:.4f}, that of {first.path} {floors[0]:.4f}")
    for other in others:
        alike = other.record["protocol"] == file.record["protocol"] and other.main_values == file.main_values
        if alike and not all(each.record["family"].startswith(CONTROLS) for each in (file, other)):
            _refuse(
                file, f"its per-image values are exactly those of {other.path}, so it may be a copy of it"
            )


def _candidate(file: ResultFile) -> str:
    """Which candidate a path is of; a reference point's also says which seed, which must be the record's."""
    if file.path.parts[0] != "reference":
        return file.path.stem
    point = parse_point_path(file.path)
    if file.record["seed"] != point.seed:
        _refuse(file, f"it is of seed {file.record['seed']}, not where it belongs")
    return point.candidate


def _check_values(file: ResultFile) -> None:
    summary = file.record["summary"]
    columns = [str(name) for name in file.images if name not in IDS]
    table = file.images[columns]
    if any(kind.kind not in "fiu" for kind in table.dtypes):
        table = table.apply(pd.to_numeric, errors="coerce")
    values = table.to_numpy(dtype=np.float64)
    lowest, highest = (np.array(ends) for ends in zip(*map(_limits, columns), strict=True))
    wrong = ~((values >= lowest) & (values <= highest))
    if wrong.any():
        column = int(wrong.any(axis=0).argmax())
        row = int(wrong[:, column].argmax())
        image, value = file.images["image_id"].iloc[row], values[row, column]
        _refuse(file, f"{columns[column]} of image {image} is {value}, which is impossible")
    for name, found in zip(columns, values.mean(axis=0), strict=True):
        mean = summary.get(name)
        if mean is not None and not math.isclose(mean, found, abs_tol=MEAN_TOLERANCE):
            _refuse(file, f"{name} is {mean:.4f} in its summary, but the images' mean is {found:.4f}")
    for name, said in summary.items():
        least, most = _limits(name)
        if said is not None and not least <= said <= most:
            _refuse(file, f"{name} is {said} in its summary, which is impossible")


def _limits(name: str) -> tuple[float, float]:
    if "psnr" in name or name == "ae_ceiling":
        return 0.0, HIGHEST_PSNR
    if "ssim" in name:
        return -1.0, 1.0
    if "_r2" in name:
        return -_LARGEST, 1.0
    return -_LARGEST if name.endswith(_SIGNED) else 0.0, _LARGEST


def _view(file: ResultFile) -> str:
    view = file.record["view"]
    return f"size {view['size']}, {Degradation.from_description(view['degradation'])}"


def _refuse(file: ResultFile, problem: str) -> NoReturn:
    raise ResultError(f"{file.path}: {problem}; run its command again, or delete it with its .parquet")
