"""Memory against the number of images: as many small pictures as are asked for stream through `vaescreen score`.

python benchmarks/streaming_memory.py --images 1000 3000 10000 30000 100000 \
    --out benchmarks/results/streaming_memory

The pictures are PNGs in a folder, read by the same path as anybody's, 300 of them to train on and the rest to test
on. Each number is a process of its own, the command line as a user gives it; its peak resident memory is what the
operating system says of it when it ends. The cheapest candidate is scored, so that what is seen is what the number
of images costs. Numbers that are in the file already are not measured again.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaescreen.environment import command_line, environment
from vaescreen.reports.page.drawing import ACCENT, SECOND, Canvas, svg_file
from vaescreen.storage import digest, read_json, write_bytes, write_json

TRAIN_IMAGES = 300
SIDE = 32
IN_A_FOLDER = 1000
ALLOWED = 200 * 2**20
"""Bytes by which peak memory may exceed that of the smallest number of images."""
MEGABYTE = 2**20


def write_images(folder: Path, first: int, end: int) -> None:
    """Write noisy gradients, a thousand in a folder, image by number always the same."""
    ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE)) * 2.0
    for number in range(first, end):
        random = np.random.default_rng(number)
        pixels = (ramp + random.normal(0, 20, (SIDE, SIDE)) + random.uniform(20, 80)).clip(0, 255)
        place = folder / f"{number // IN_A_FOLDER:04}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"image-{number:06}.png", compress_level=1)


def measure(data: Path, images: int, candidate: str) -> dict[str, Any]:
    """Score a candidate in a process of its own; seconds and peak memory of it."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "vaescreen", "score", candidate, "--data", str(data)]
        command += ["--size", str(SIDE), "--processes", "1", "--device", "cpu", "--format", "json"]
        began = time.monotonic()
        with (Path(scratch) / "card.json").open("wb") as output:
            child = subprocess.Popen(
                command,
                stdout=output,
                env=os.environ | {"VAESCREEN_CACHE": str(Path(scratch) / "cache"), "OMP_NUM_THREADS": "1"},
            )
            _, status, used = os.wait4(child.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{shlex.join(command)} failed")
        (card,) = read_json(Path(scratch) / "card.json")["cards"]
    assert card["counts"]["test_images"] == images
    kilo = 1 if sys.platform == "darwin" else 1024
    return {
        "images": images,
        "peak_bytes": used.ru_maxrss * kilo,
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "wall_s": round(time.monotonic() - began, 1),
    }


def draw(result: dict[str, Any], path: Path) -> None:
    """Peak memory against the number of images."""
    import altair as alt

    curve = result["curve"]
    limit = (curve[0]["peak_bytes"] + ALLOWED) / MEGABYTE

    def chart(canvas: Canvas) -> alt.LayerChart:
        points = [{"images": each["images"], "memory": each["peak_bytes"] / MEGABYTE} for each in curve]
        allowed = canvas.data(
            [{"memory": limit, "what": f"{ALLOWED / MEGABYTE:.0f} MiB more than the first"}]
        )
        y = alt.Y("memory:Q", title="peak resident memory (MiB)").scale(domain=[0, 1.1 * limit])
        rule = alt.Chart(allowed).encode(y=y)
        made: alt.LayerChart = (
            rule.mark_rule(strokeDash=[4, 3], color=SECOND)
            + rule.mark_text(align="left", dy=-7, color=SECOND).encode(x=alt.value(6), text="what:N")
            + alt.Chart(canvas.data(points))
            .mark_line(point={"color": ACCENT}, color=ACCENT)
            .encode(x=alt.X("images:Q", title="test images").scale(type="log"), y=y)
        ).properties(width=canvas.width - 80, height=240)
        return made

    write_bytes(path, svg_file(chart, digest(curve), width=480))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 3000, 10_000, 30_000, 100_000])
    parser.add_argument("--candidate", default="haar-f8c4")
    parser.add_argument("--out", type=Path, help="without suffix: .json and .svg are written")
    options = parser.parse_args()
    curve: list[dict[str, Any]] = []
    json_file = options.out.with_suffix(".json") if options.out else None
    known = read_json(json_file)["curve"] if json_file and json_file.is_file() else []
    measured = {point["images"]: point for point in known}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "pictures"
        write_images(data / "train", 0, TRAIN_IMAGES)
        written = 0
        for images in sorted(options.images):
            write_images(data / "test", written, images)
            written = images
            curve.append(measured.get(images) or measure(data, images, options.candidate))
            more = curve[-1]["peak_bytes"] - curve[0]["peak_bytes"]
            print(f"{curve[-1]}, {more / MEGABYTE:+.0f} MiB", flush=True)
            if options.out:
                result = {
                    "candidate": options.candidate,
                    "side": SIDE,
                    "train_images": TRAIN_IMAGES,
                    "allowed_bytes": ALLOWED,
                    "curve": curve,
                    "command": command_line(),
                    "environment": environment(),
                }
                write_json(options.out.with_suffix(".json"), result)
                draw(result, options.out.with_suffix(".svg"))
    if curve[-1]["peak_bytes"] - curve[0]["peak_bytes"] > ALLOWED:
        raise SystemExit(f"more than {ALLOWED / MEGABYTE:.0f} MiB above that of {curve[0]['images']} images")


if __name__ == "__main__":
    main()
