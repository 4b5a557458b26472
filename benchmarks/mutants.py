"""Which changes of metrics, statistics and predictor the tests notice: a seeded sample of mutants, and who survived.

    python -m benchmarks.mutants --rooms metrics statistics --sample 100

mutmut makes the mutants in a copy of the tracked files and runs the tests of their rooms against each. One that makes
the tests run on without end counts as noticed. A survivor needs a reason, which is written into the result by hand and
kept by later runs for the same change; one without is a hole in the tests.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from vaescreen.environment import command_line, environment
from vaescreen.storage import read_json, write_json

OUT = Path("benchmarks/results/mutants.json")
NOTICED = ("killed", "timeout")
SETTINGS = """
[tool.mutmut]
source_paths = ["vaescreen"]
only_mutate = [{mutated}]
also_copy = ["tests", "leaderboards", "registry.yaml", "docs", "benchmarks", "README.md"]
pytest_add_cli_args_test_selection = [{tests}]
"""


class Mutmut:
    """mutmut at work in a folder of its own."""

    def __init__(self, folder: Path, rooms: list[str]) -> None:
        self._folder = folder
        archive = subprocess.run(["git", "archive", "HEAD"], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "x", "-C", str(folder)], input=archive, check=True)
        mutated, tests = (
            ", ".join(f'"{kind.format(room)}"' for room in rooms) for kind in ("vaescreen/{}/*", "tests/{}")
        )
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write(SETTINGS.format(mutated=mutated, tests=tests))
        self._call(
            "run", "none*"
        )  # makes all mutants, finds out which test runs which, and matches none of them

    def run(self, names: list[str]) -> None:
        self._call("run", "--max-children", "1", *names)

    def outcomes(self) -> dict[str, str]:
        """What became of each mutant, by name."""
        lines = self._call("results", "--all", "true").splitlines()
        found = (re.fullmatch(r"\s*(\S+__mutmut_\d+): (.+)", line) for line in lines)
        return {match[1]: match[2] for match in found if match}

    def change(self, name: str) -> list[str]:
        """Lines that a mutant takes away and adds."""
        lines = self._call("show", name).splitlines()
        return [line for line in lines if re.match(r"[-+](?![-+]{2})", line)]

    def _call(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mutmut", *arguments]
        return subprocess.run(
            command, cwd=self._folder, check=False, text=True, stdout=subprocess.PIPE
        ).stdout


def measure(rooms: list[str], sample: int, seed: int) -> dict[str, Any]:
    """Make mutants of rooms, run a sample, and name those that no test noticed."""
    with tempfile.TemporaryDirectory() as folder:
        mutmut = Mutmut(Path(folder), rooms)
        names = sorted(mutmut.outcomes())
        chosen = sorted(random.Random(seed).sample(names, min(sample, len(names))))
        mutmut.run(chosen)
        outcomes = {name: outcome for name, outcome in mutmut.outcomes().items() if name in chosen}
        survived = [name for name, outcome in outcomes.items() if outcome not in NOTICED]
        survivors = [{"mutant": name, "change": mutmut.change(name)} for name in survived]
    return {
        "seed": seed,
        "mutants": len(names),
        "sampled": len(chosen),
        "outcomes": dict(Counter(outcomes.values())),
        "noticed": round(1 - len(survived) / len(chosen), 3),
        "survivors": survivors,
        "environment": environment(),
        "command": command_line(),
    }


def with_reasons(result: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Take over the reasons that were given for the same changes."""
    reasons = {tuple(each["change"]): each["reason"] for each in before.get("survivors", ())}
    survivors = [each | {"reason": reasons.get(tuple(each["change"]), "")} for each in result["survivors"]]
    return result | {"survivors": survivors}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", nargs="+", default=["metrics", "statistics", "predictor"])
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    before = read_json(options.out) if options.out.is_file() else {}
    result = with_reasons(measure(options.rooms, options.sample, options.seed), before)
    write_json(options.out, result)
    print(f"{result['noticed']:.0%} of {result['sampled']} mutants noticed; {result['outcomes']}")
    for survivor in result["survivors"]:
        print(survivor["mutant"], *survivor["change"], f"    {survivor['reason'] or 'NO REASON'}", sep="\n")


if __name__ == "__main__":
    main()
