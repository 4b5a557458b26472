"""Render benchmarks/README.md: what each benchmark asks, its figures, its command and the machine, from its result.

    python -m benchmarks.page [--check]

A result is `benchmarks/results/NAME.json`, written by `benchmarks/NAME.py`; one without a line in `FIGURES` is refused.
"""

import argparse
import ast
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path("benchmarks")
PAGE, RESULTS = HERE / "README.md", HERE / "results"
HEAD = """<!-- Rendered from benchmarks/results by `python -m benchmarks.page`; edits are overwritten. -->

# Benchmarks

What each asks, what it found, and the command that finds it again.
"""


def _damaged(result: Mapping[str, Any]) -> str:
    kinds = result["formats"].values()
    files, findings = (sum(each["files"] for each in kinds), sum(len(each["findings"]) for each in kinds))
    return (
        f"{files} damaged files of {len(kinds)} kinds, {min(each['cpu_minutes'] for each in kinds)} CPU minutes each: "
        f"{findings} findings, {result['peak_memory_mb']} MB at most"
    )


def _streamed(result: Mapping[str, Any]) -> str:
    few, many = result["curve"][0], result["curve"][-1]
    return (
        f"from {few['images']} to {many['images']} images: {few['cpu_s']} to {many['cpu_s']} CPU seconds, "
        f"{few['peak_bytes'] / 1e6:.0f} to {many['peak_bytes'] / 1e6:.0f} MB at the peak"
    )


def _conditioned(result: Mapping[str, Any]) -> str:
    parts = []
    for data in sorted(set(result) - {"checksum"}):
        low, high = result[data]["gain_sr_psnr"]
        parts.append(f"{data} {low:.1f} to {high:.1f} dB")
    return "SR PSNR gained over the published conditioning: " + ", ".join(parts)


FIGURES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "conditioning": _conditioned,
    "damaged_files": _damaged,
    "data_corpus": lambda result: ", ".join(f"{count} {what}" for what, count in result["counts"].items()),
    "metrics_speed": lambda result: (
        f"{result['ms_per_image']['vaescreen']} ms an image of {result['size']} x {result['size']}, "
        f"{result['ratio']} times as fast as a loop over images"
    ),
    "opening_speed": lambda result: (
        f"{result['images']} files of {result['side']} x {result['side']}: {result['ratio']} times the CPU time "
        "of version 617f2fd, the median of runs in pairs"
    ),
    "statistics_simulation": lambda result: (
        f"{len(result['cells'])} worlds: see [the table](results/statistics_simulation.md)"
    ),
    "streaming_memory": _streamed,
}


def page() -> str:
    sections = [_section(path) for path in sorted(RESULTS.glob("*.json"))]
    return "\n".join([HEAD, *sections])


def _section(path: Path) -> str:
    result = json.loads(path.read_text(encoding="utf-8"))
    if path.stem not in FIGURES:
        sys.exit(f"{path} has no line in FIGURES of benchmarks/page.py; add one")
    program = HERE / f"{path.stem}.py"
    asked = (ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or "").splitlines()[0]
    lines = [f"## {path.stem.replace('_', ' ')}", "", asked, "", f"- Found: {FIGURES[path.stem](result)}."]
    lines += [f"- Command: `{result.get('command', f'python {program.as_posix()}')}`"]
    machine = result.get("environment")
    if machine:
        lines += [
            f"- Machine: {machine['cpu']}, {machine['threads']} thread(s), {machine['device']}; "
            f"{machine['platform']}, Python {machine['python']}, torch {machine['torch']}"
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is stale")
    options = parser.parse_args()
    rendered = page()
    if not options.check:
        PAGE.write_text(rendered, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != rendered:
        sys.exit(f"{PAGE} is stale; run `python -m benchmarks.page`")


if __name__ == "__main__":
    main()
