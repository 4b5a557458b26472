"""Results of baselines: `baselines/<size>-<degradation>/<data>/<name>.json`, per-image values beside them."""

import re
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from vaescreen.environment import command_line, environment
from vaescreen.errors import ResultError
from vaescreen.images.dataset import DataSet
from vaescreen.screening.view import View
from vaescreen.storage import (
    TABLE_SEAL,
    beside_namesakes,
    make_way,
    read_json,
    recall,
    table_bytes,
    write_json,
    write_table,
)

PROTOCOL = "baseline-1"
IDS = ["image_id", "patient_id"]


@dataclass(frozen=True)
class Baseline:
    """A way from LR to HR images that goes through no candidate's latents, or regresses without diffusion.

    Attributes
    ----------
    name
        What tables call it; file names follow from it.
    kind
        "interpolation", "regression" or "published".
    fingerprint
        Of all that decides its output beside the LR image.
    details
        What must be known of it, JSON-able.
    """

    name: str
    kind: str
    fingerprint: str
    details: dict[str, Any]


def baseline_path(results: Path, view: View, data: str, name: str) -> Path:
    """Where the JSON of a baseline lies below the folder of results."""
    folder = f"{view.size}-{view.degradation.name}"
    return results / "baselines" / folder / data / f"{re.sub(r'[^A-Za-z0-9._+=-]+', '-', name)}.json"


def find_baseline(path: Path, baseline: Baseline, data: DataSet, view: View) -> dict[str, Any] | None:
    """Give the result in a file, or the one that made way for other images of the same name.

    None if there is none, it is of other weights or images, or it is damaged, and put aside then.
    """
    identity = _identity(baseline, data, view)

    def read(place: Path) -> dict[str, Any]:
        record: dict[str, Any] = read_json(place)
        table_bytes(place.with_suffix(".parquet"), record.get(TABLE_SEAL))
        return record

    for place in (path, beside_namesakes(path, data.fingerprint)):
        record = recall(place, partial(read, place))
        if record and all(record.get(key) == value for key, value in identity.items()):
            return record
    return None


def write_baseline(
    path: Path,
    baseline: Baseline,
    data: DataSet,
    view: View,
    table: pd.DataFrame,
    *,
    device: str,
    training: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write per-image values `table` and their means; give the record."""
    means = table.drop(columns=IDS).mean()
    record = _identity(baseline, data, view) | {
        "counts": {"test_images": len(table), "test_patients": int(table["patient_id"].nunique())},
        "summary": {str(name): float(value) for name, value in means.items()},
        **({"training": training} if training else {}),
        "environment": environment(device),
        "command": command_line(private=data.private),
    }
    make_way(path, data.fingerprint, ".parquet")
    record[TABLE_SEAL] = write_table(path.with_suffix(".parquet"), table)
    write_json(path, record)
    return record


def read_baselines(results: Path, view: View, data: str, data_fingerprint: str) -> dict[str, float]:
    """Mean SR PSNR in dB of each baseline on these images, by name; results on other images do not count.

    Raises
    ------
    ResultError
        If a file is damaged.
    """
    found = {}
    for path in sorted(baseline_path(results, view, data, "any").parent.glob("*.json")):
        record = read_json(path)
        try:
            if record["protocol"] == PROTOCOL and record["data"]["fingerprint"] == data_fingerprint:
                found[str(record["baseline"]["name"])] = float(record["summary"]["sr_psnr"])
        except (KeyError, TypeError, ValueError) as error:
            raise ResultError(
                f"{path} is not the result of a baseline ({error}); delete it and run it again"
            ) from error
    return found


def _identity(baseline: Baseline, data: DataSet, view: View) -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "baseline": asdict(baseline),
        "data": {
            "name": data.name,
            "kind": data.kind,
            "fingerprint": data.fingerprint,
            "description": data.description,
        },
        "view": view.pixels(),
    }
