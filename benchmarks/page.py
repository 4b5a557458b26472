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


def _examined(result: Mapping[str, Any]) -> str:
    parts = (
        f"{each['cpu_s']} s for {each['parameters'] / 1e6:.1f} M parameters"
        for each in result["networks"].values()
    )
    return f"CPU time of an examination on one core: {', '.join(parts)}"


def _raced(result: Mapping[str, Any]) -> str:
    races = [race for by in result["races"].values() for race in by.values()]
    right, passes, whole = (
        [race[key] for race in races] for key in ("same_answer", "passes", "of_all_passes")
    )
    return (
        f"{len(races)} races, {result['replays']} replays each: the same first in {min(right):.0%} to "
        f"{max(right):.0%}, with {min(passes):.0%} to {max(passes):.0%} of the passes of test images, "
        f"{min(whole):.0%} to {max(whole):.0%} of all passes of a card"
    )


def _screened(result: Mapping[str, Any]) -> str:
    parts = []
    for name, found in result["networks"].items():
        ms = found["ms_per_image"]
        parts.append(
            f"{name}: bare {ms['bare']} ms an image, ours {ms['ours']} ({found['bare_over_ours']} of it bare), "
            f"published {ms['published']} ({found['published_over_ours']} times ours)"
        )
    return "; ".join(parts)


def _mutated(result: Mapping[str, Any]) -> str:
    noticed = (
        f"{result['noticed']:.1%} of {result['sampled']} of {result['mutants']} mutants are noticed; "
        "those that are not:"
    )
    lines = [
        f"  - `{each['mutant']}`: {' '.join(f'`{line.strip()}`' for line in each['change'])}: {each['reason']}"
        for each in result["survivors"]
    ]
    return "\n".join([noticed, *lines])


def _published(result: Mapping[str, Any]) -> str:
    parts = []
    for run in result["runs"]:
        seconds = [
            run[what]["cpu_s"] for what in ("everything", "nothing new", "a data set with one row more")
        ]
        parts.append(
            f"{run['candidates'] * run['data_sets']} results {seconds[0]}, {seconds[1]}, {seconds[2]}"
        )
    return "CPU seconds for all results, for nothing new, for one row more: " + "; ".join(parts)


FIGURES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "damaged_files": _damaged,
    "data_corpus": lambda result: ", ".join(f"{count} {what}" for what, count in result["counts"].items()),
    "doctor_speed": _examined,
    "growth_publish": _published,
    "metrics_speed": lambda result: (
        f"{result['ms_per_image']['vaescreen']} ms an image of {result['size']} x {result['size']}, "
        f"{result['ratio']} times as fast as a loop over images"
    ),
    "opening_speed": lambda result: (
        f"{result['images']} files of {result['side']} x {result['side']}: {result['ratio']} times the CPU time "
        "of version 617f2fd, the median of runs in pairs"
    ),
    "mutants": _mutated,
    "probe_cost": lambda result: (
        f"a card of {result['candidate']} takes {result['card_s']} s, {result['card_without_autoencoder_s']} s of it "
        f"beside the autoencoder; a training by recipe {result['recipe']} {result['training_s']} s: "
        f"{result['card_over_training']:.1%} and {result['probes_over_training']:.1%}"
    ),
    "racing": _raced,
    "reference_speed": lambda result: (
        f"{', '.join(f'{loop}: {speed} samples a second' for loop, speed in result['samples_per_second'].items())}; "
        f"{result['share_outside_forward_backward_optimiser']:.1%} of a step is outside forward, backward, optimiser"
    ),
    "screening_speed": _screened,
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
