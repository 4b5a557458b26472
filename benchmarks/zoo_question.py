"""Does what an autoencoder was trained on matter, or its geometry? The bundled candidates answer.

Reads the per-image values of the committed reference points (SR PSNR and AE ceiling against the true image; the
mean over seeds of an image where there are several) and of the score cards (Haar bands), joined by image id. Every
comparison changes one trait: domain at equal geometry, the spatial factor or the channels at equal domain. p is of
the paired t test of patient means, corrected by Holm within a data set, metric and trait.

python benchmarks/zoo_question.py --output benchmarks/results/zoo_question.json
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaescreen.environment import command_line, environment
from vaescreen.errors import ResultError
from vaescreen.ranking.columns import number
from vaescreen.ranking.comparison.analysis import BANDS
from vaescreen.ranking.comparison.decomposition import decompose, matched_paths
from vaescreen.registry.catalogue import Registry
from vaescreen.reports.markdown import table
from vaescreen.statistics.clusters import pair
from vaescreen.statistics.comparison import holm
from vaescreen.statistics.effects import cohens_d, d_z, mean_difference
from vaescreen.statistics.paired import t_test
from vaescreen.storage import write_json
from vaescreen.superres.paths import point_files

RECIPE = "compact"
DATA_SETS = ("chest", "brain", "natural")
METRICS = {"sr_psnr": "SR PSNR", "ae_ceiling": "AE ceiling"}
GEOMETRIES = ("f4c1", "f4c3", "f4c4", "f4c8", "f8c1", "f8c4", "f8c16")
DOMAINS = ("medical", "generic")
CONTRASTS = {
    "domain": [(f"medical-{geometry}", f"generic-{geometry}") for geometry in GEOMETRIES],
    "resolution": [(f"{d}-f4{c}", f"{d}-f8{c}") for d in DOMAINS for c in ("c1", "c4")],
    "capacity": [
        (f"{d}-{more}", f"{d}-{fewer}")
        for d in DOMAINS
        for more, fewer in (
            ("f4c3", "f4c1"),
            ("f4c4", "f4c3"),
            ("f4c8", "f4c4"),
            ("f8c4", "f8c1"),
            ("f8c16", "f8c4"),
        )
    ],
}
ENDS = ("medical-f4c3", "generic-f8c4")


def values_of(results: Path, data: str) -> tuple[dict[str, pd.DataFrame], list[str], dict[str, int]]:
    """Metric to a table of images by candidates, the patient of each image, and seeds by candidate."""
    points: dict[str, list[pd.DataFrame]] = {}
    for file in point_files(results, RECIPE):
        if file.data == data and file.candidate.partition("-")[0] in DOMAINS:
            frame = pd.read_parquet(file.path.with_suffix(".parquet")).set_index("image_id").sort_index()
            points.setdefault(file.candidate, []).append(frame)
    if not points:
        raise ResultError(
            f"no reference points of recipe {RECIPE} on {data} below {results}; train some first"
        )
    first = next(iter(points.values()))[0]
    for candidate, frames in points.items():
        for frame in frames:
            if not frame.index.equals(first.index):
                raise ResultError(f"{candidate} on {data} was measured on other images; make its point again")
    tables = {
        metric: pd.DataFrame(
            {c: np.mean([f[metric] for f in frames], axis=0) for c, frames in points.items()}
        )
        for metric in METRICS
    }
    return tables, first["patient_id"].tolist(), {c: len(frames) for c, frames in points.items()}


def contrasts(
    values: pd.DataFrame, patients: list[str], pairs: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Differences of pairs of candidates, first less second, with Holm's correction for all of them."""
    rows: list[dict[str, Any]] = []
    for first, second in pairs:
        both = pair(values[first], values[second], patients)
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": asdict(mean_difference(both)),
                "cohens_d": cohens_d(both).value,
                "d_z": d_z(both),
                "p": t_test(both).p,
            }
        )
    adjusted = holm([row["p"] for row in rows])
    return [row | {"p_holm": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def bands(results: Path, data: str) -> dict[str, dict[str, float]]:
    """AE gain in dB of medical over generic in each Haar band, from the mean squared error over images."""

    def errors(candidate: str) -> pd.Series:
        path = results / "scores" / data / f"{candidate}.parquet"
        if not path.is_file():
            raise ResultError(f"no score card {path}; score {candidate} first")
        return pd.read_parquet(path)[[f"band_{band}" for band in BANDS]].mean()

    gains = {g: 10 * np.log10(errors(f"generic-{g}") / errors(f"medical-{g}")) for g in GEOMETRIES}
    return {g: dict(zip(BANDS, map(float, gain), strict=True)) for g, gain in gains.items()}


def answer(results: Path, registry: Registry, data: str) -> dict[str, Any]:
    """Everything about one data set."""
    tables, patients, seeds = values_of(results, data)
    first, second = (registry.candidate(name) for name in ENDS)
    entries = [entry for name, entry in registry.candidates.items() if name in seeds]
    paths = matched_paths(first, second, entries)
    return {
        "images": len(patients),
        "patients": len(set(patients)),
        "seeds": seeds,
        "contrasts": {
            metric: {trait: contrasts(values, patients, pairs) for trait, pairs in CONTRASTS.items()}
            for metric, values in tables.items()
        },
        "decomposition": {
            metric: asdict(decompose(values, patients, first, second, paths))
            for metric, values in tables.items()
        },
        "bands": bands(results, data),
    }


def _parts(found: dict[str, Any]) -> list[str]:
    def text(estimate: dict[str, float]) -> str:
        ends = " to ".join(number(estimate[end], signed=True) for end in ("low", "high"))
        return f"{number(estimate['value'], signed=True)} ({ends})"

    return [
        text(found["gap"]),
        *(text(found["parts"][part]) for part in ("resolution", "capacity", "domain")),
    ]


def report(found: dict[str, dict[str, Any]]) -> str:
    """Markdown tables."""
    domain = [
        [
            data,
            row["first"].partition("-")[2],
            *(
                f"{number(r['difference']['value'], signed=True)} ({number(r['difference']['low'], signed=True)} to "
                f"{number(r['difference']['high'], signed=True)}), d {number(r['cohens_d'])}, p {r['p_holm']:.1g}"
                for r in (row, ceiling)
            ),
        ]
        for data, each in found.items()
        for row, ceiling in zip(*(each["contrasts"][m]["domain"] for m in METRICS), strict=True)
    ]
    other = [
        [
            data,
            trait,
            f"{row['first']} − {row['second']}",
            number(row["difference"]["value"], signed=True),
            number(row["cohens_d"]),
            f"{row['p_holm']:.1g}",
        ]
        for data, each in found.items()
        for trait in ("resolution", "capacity")
        for row in each["contrasts"]["sr_psnr"][trait]
    ]
    parts = [
        [data, label, *_parts(each["decomposition"][metric])]
        for data, each in found.items()
        for metric, label in METRICS.items()
    ]
    fine = [
        [data, geometry, *(number(each["bands"][geometry][band], signed=True) for band in BANDS)]
        for data, each in found.items()
        for geometry in GEOMETRIES
    ]
    return "\n\n".join(
        [
            "Medical less generic at equal geometry (dB):",
            table(["data", "geometry", *METRICS.values()], domain, 2),
            "Geometry at equal domain, SR PSNR (dB):",
            table(["data", "trait", "pair", "difference", "d", "p"], other, 3),
            f"{ENDS[0]} less {ENDS[1]} (dB), mean over the paths through matched candidates:",
            table(["data", "metric", "gap", "resolution", "capacity", "domain"], parts, 2),
            "AE gain of medical over generic by Haar band (dB):",
            table(["data", "geometry", *BANDS], fine, 2),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("leaderboards") / "results")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    registry = Registry.load()
    found = {data: answer(options.results, registry, data) for data in DATA_SETS}
    print(report(found))
    if options.output:
        made = {"recipe": RECIPE, "environment": environment("cpu"), "command": command_line()}
        write_json(options.output, made | {"data": found})


if __name__ == "__main__":
    main()
