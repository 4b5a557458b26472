"""What the conditioning of the SR model does to the order of autoencoders, from the committed results.

    python benchmarks/conditioning.py [--out benchmarks/results/conditioning.json]

The same candidates on the same images were trained twice: on the latent of the small LR image, as arXiv 2604.12152 does
(`leaderboards/evidence/published-conditioning`, made as recipe `nano` of version 0.1.0), and as SR models are built, by
recipe `compact`. For each: how SR PSNR goes with the AE ceiling (Pearson's r, 95 % interval by Fisher's z), within each
data set, and how many candidates pass bicubic; Kendall's tau between both orders; and the least and the largest gain.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from scipy import stats

from vaescreen.storage import read_json, write_json

FOLDERS = {
    "published conditioning": Path("leaderboards/evidence/published-conditioning"),
    "as built (compact)": Path("leaderboards/results/reference/compact"),
}
TARGETS = ("sr_psnr", "posterior_mean_psnr")
CONTROL = "scrambled-f4c8"
LOSSLESS = 100.0
"""AE ceilings above this are of lossless controls."""

Summary = Mapping[str, float]


def read(folder: Path, data: str) -> dict[str, Summary]:
    """Mean over seeds of each candidate's summary, controls apart."""
    seeds: dict[str, list[Summary]] = {}
    for path in sorted((folder / data).glob("*.json")):
        record = read_json(path)
        if record["candidate"] != CONTROL and record["summary"]["ae_ceiling"] < LOSSLESS:
            seeds.setdefault(record["candidate"], []).append(record["summary"])
    return {name: _mean(each) for name, each in seeds.items()}


def _mean(summaries: Sequence[Summary]) -> Summary:
    wanted = ("ae_ceiling", "bicubic_psnr", *TARGETS)
    return {key: fmean(summary[key] for summary in summaries) for key in wanted}


def compare(data: str) -> dict[str, Any]:
    """Correlations and orders on one data set, over the candidates that both have."""
    points = {name: read(folder, data) for name, folder in FOLDERS.items()}
    shared = sorted(set.intersection(*(set(each) for each in points.values())))
    columns = {
        name: {key: [each[candidate][key] for candidate in shared] for key in ("ae_ceiling", *TARGETS)}
        for name, each in points.items()
    }
    found: dict[str, Any] = {"candidates": shared}
    for name, each in points.items():
        bicubic = next(iter(each.values()))["bicubic_psnr"]
        found[name] = {"bicubic": bicubic} | {
            target: _correlation(columns[name]["ae_ceiling"], columns[name][target])
            | {"pass_bicubic": sum(value > bicubic for value in columns[name][target])}
            for target in TARGETS
        }
    one, other = columns.values()
    for target in TARGETS:
        gains = [after - before for before, after in zip(one[target], other[target], strict=True)]
        found[f"gain_{target}"] = [min(gains), max(gains)]
    found["tau_between_orders"] = {
        target: float(stats.kendalltau(one[target], other[target]).statistic) for target in TARGETS
    }
    return found


def _correlation(ceiling: Sequence[float], reached: Sequence[float]) -> dict[str, Any]:
    result = stats.pearsonr(ceiling, reached)
    interval = result.confidence_interval(0.95)
    return {"r": float(result.statistic), "interval": [float(interval.low), float(interval.high)]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["chest", "brain", "natural"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/conditioning.json"))
    options = parser.parse_args()
    found = {data: compare(data) for data in options.data}
    write_json(options.out, found)
    print(
        "| data set | candidates | conditioning | output | r with AE ceiling | 95 % interval | pass bicubic |"
    )
    print("|---|--:|---|---|--:|---|--:|")
    for data, record in found.items():
        for name in FOLDERS:
            for target in TARGETS:
                each = record[name][target]
                low, high = each["interval"]
                print(
                    f"| {data} | {len(record['candidates'])} | {name} | {target} | {each['r']:+.2f} | "
                    f"{low:+.2f} to {high:+.2f} | {each['pass_bicubic']} |"
                )
    for data, record in found.items():
        kept = {key: record[key] for key in ("tau_between_orders", *(f"gain_{target}" for target in TARGETS))}
        print(f"{data}: {json.dumps(kept)}")


if __name__ == "__main__":
    main()
