"""How long it takes to open a folder of image files, beside another version of the package.

git worktree add ../before 617f2fd
python benchmarks/opening_speed.py --against ../before --out benchmarks/results/opening_speed.json

Both versions open the same PNG files of noise in turn, each in a process of its own and each time with an empty cache;
what counts is the CPU time of opening, and of two neighbours in time the ratio, since machines are busy by turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
SIDE = 128
_WORKER = """
import os, shutil, sys, time, torch
from vaescreen.images import open_data
for _ in sys.stdin:
    shutil.rmtree(os.environ["VAESCREEN_CACHE"], ignore_errors=True)
    began = time.process_time()
    open_data(sys.argv[1], size=int(sys.argv[2]))
    print(time.process_time() - began, flush=True)
"""


def write_images(folder: Path, count: int) -> None:
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(generator.integers(0, 256, (SIDE, SIDE), np.uint8)).save(folder / f"{number:05d}.png")


@contextmanager
def worker(checkout: Path, images: Path) -> Iterator[Callable[[], float]]:
    """Start a process that opens the images by the package of a checkout, whenever it is asked to."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PYTHONPATH": str(checkout),
            "VAESCREEN_CACHE": f"{folder}/cache",
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-c", _WORKER, str(images), str(SIDE)]
        with subprocess.Popen(
            command, env=environment, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            asked, answered = process.stdin, process.stdout
            assert asked is not None
            assert answered is not None

            def cpu_seconds() -> float:
                asked.write("\n")
                asked.flush()
                return float(answered.readline())

            yield cpu_seconds
            asked.close()


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
        images = Path(folder)
        write_images(images, options.images)
        with worker(checkouts["before"], images) as before, worker(checkouts["now"], images) as now:
            for _ in range(options.runs):
                seconds["before"].append(round(before(), 3))
                seconds["now"].append(round(now(), 3))
                print({name: each[-1] for name, each in seconds.items()}, flush=True)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    ratios = [now / before for before, now in zip(seconds["before"], seconds["now"], strict=True)]
    record: dict[str, Any] = {
        "images": options.images,
        "side": SIDE,
        "cpu_seconds": seconds,
        "median": medians,
        "ratio": round(statistics.median(ratios), 3),
        "command": command_line(),
        "environment": environment(),
    }
    print(f"{medians['now']:.2f} s now, {medians['before']:.2f} s before: {record['ratio']:.2f} times")
    if options.out:
        write_json(options.out, record)


if __name__ == "__main__":
    main()
