"""How long it takes to open a folder of image files, beside another version of the package.

git worktree add /tmp/before 617f2fd
python benchmarks/opening_speed.py --against /tmp/before --out benchmarks/results/opening_speed.json

Both versions open the same PNG files of noise in turn, each time in a process and with a cache of its own; what counts
is the CPU time of opening alone, without imports.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
SIDE = 128
_OPEN = """
import sys, time, torch
from vaescreen.images import open_data
began = time.process_time()
open_data(sys.argv[1], size=int(sys.argv[2]))
print(time.process_time() - began)
"""


def write_images(folder: Path, count: int) -> None:
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(generator.integers(0, 256, (SIDE, SIDE), np.uint8)).save(folder / f"{number:05d}.png")


def cpu_seconds(checkout: Path, images: Path) -> float:
    """Open the images once, by the package of a checkout."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {
            "PYTHONPATH": str(checkout),
            "VAESCREEN_CACHE": cache,
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-c", _OPEN, str(images), str(SIDE)]
        done = subprocess.run(
            command, env=environment, cwd=cache, capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, required=True, help="a checkout of the other version")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    from vaescreen.environment import command_line, environment
    from vaescreen.storage import write_json

    checkouts = {"before": options.against.resolve(), "now": HERE}
    seconds: dict[str, list[float]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), options.images)
        for number in range(options.runs):
            for name, checkout in sorted(checkouts.items(), reverse=number % 2 == 1):
                seconds[name].append(round(cpu_seconds(checkout, Path(folder)), 3))
                print(f"{name}: {seconds[name][-1]:.2f} s", flush=True)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    record: dict[str, Any] = {
        "images": options.images,
        "side": SIDE,
        "cpu_seconds": seconds,
        "median": medians,
        "ratio": round(medians["now"] / medians["before"], 3),
        "command": command_line(),
        "environment": environment(),
    }
    print(f"{medians['now']:.2f} s now, {medians['before']:.2f} s before: {record['ratio']:.2f} times")
    if options.out:
        write_json(options.out, record)


if __name__ == "__main__":
    main()
