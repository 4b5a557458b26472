"""How `vaescreen publish` grows: seconds for many candidates on many data sets, for nothing and for one row changed.

`python -m benchmarks.growth_publish --candidates 50 200 --data-sets 20` makes result files of the shape of a real
score card with values of their own, publishes them three times in processes of their own, and writes
`benchmarks/results/growth_publish.json`.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaescreen.environment import command_line, environment
from vaescreen.screening.cards import card_path, read_card
from vaescreen.storage import TABLE_SEAL, write_json, write_table

_REAL = Path("leaderboards/results/scores/chest/medical-f8c4.json")
_OUT = Path("benchmarks/results/growth_publish.json")
_SPREAD = 1.5
"""SD of candidates about the real card, in the unit of each value: PSNRs in dB."""


def write_results(folder: Path, candidates: int, data_sets: int) -> None:
    """Write score cards like the real one, all values of a candidate moved together."""
    card, frame = read_card(_REAL).to_json(), pd.read_parquet(_REAL.with_suffix(".parquet"))
    draws = np.random.default_rng(0)
    moved = [name for name in frame if "psnr" in str(name) and name != "bicubic_psnr"]
    for data in range(data_sets):
        for candidate in range(candidates):
            write_row(
                folder, card, frame, moved, f"set-{data}", f"candidate-{candidate}", draws.normal(0, _SPREAD)
            )


def write_row(
    folder: Path,
    card: dict[str, Any],
    frame: pd.DataFrame,
    moved: list[Any],
    data: str,
    candidate: str,
    by: float,
) -> None:
    """Write one card."""
    path = card_path(folder, data, candidate)
    path.parent.mkdir(parents=True, exist_ok=True)
    images = frame.assign(**{name: (frame[name] + by).clip(0.0, 99.0) for name in moved})
    means = {name: float(images[name].mean()) for name in moved}
    record = card | {
        "candidate": candidate,
        "data": card["data"] | {"name": data, "fingerprint": f"{data:0>64}"},
        "summary": card["summary"] | means,
        TABLE_SEAL: write_table(path.with_suffix(".parquet"), images),
    }
    write_json(path, record)


def publish(results: Path, out: Path, cache: Path) -> dict[str, float]:
    """Publish in a process of its own; give its seconds of wall and of CPU, imports included."""
    command = [sys.executable, "-m", "vaescreen", "publish", "--results", str(results), "--out", str(out)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"VAESCREEN_CACHE": str(cache)}
    )
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1)}


def measure(candidates: int, data_sets: int) -> dict[str, Any]:
    """Publish everything, nothing new, and one new row."""
    with tempfile.TemporaryDirectory() as work:
        results, out, cache = (Path(work) / name for name in ("results", "out", "cache"))
        write_results(results, candidates, data_sets)
        measured = {
            "candidates": candidates,
            "data_sets": data_sets,
            "everything": publish(results, out, cache),
        }
        measured["nothing new"] = publish(results, out, cache)
        shutil.rmtree(card_path(results, "set-0", "candidate-0").parent)
        write_results(results, candidates + 1, 1)
        return measured | {"a data set with one row more": publish(results, out, cache)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--data-sets", type=int, default=20)
    given = parser.parse_args()
    runs = [measure(candidates, given.data_sets) for candidates in given.candidates]
    record = {"command": command_line(), "environment": environment(), "runs": runs}
    write_json(_OUT, record)
    print(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
