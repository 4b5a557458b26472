"""Which rows of a leaderboard a change touches: `python -m vaescreen.ranking.changes REF` prints them, one a line.

A row is touched when its score card is, or when the registry entry of its candidate is.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import ResultError, VaescreenError
from vaescreen.registry.catalogue import Registry

REGISTRY = "registry.yaml"


class RowOf(NamedTuple):
    """A candidate on a data set."""

    candidate: str
    data: str


def changed_rows(results: Path, since: str) -> list[RowOf]:
    """Rows that have changed since a commit, those deleted apart.

    Parameters
    ----------
    results
        Folder of results in a git checkout, whose registry lies at its top.
    since
        Commit, branch or tag; what is compared is where the two parted.

    Raises
    ------
    ResultError
        If there is no checkout, or no such commit.
    RegistryError
        If a registry cannot be read.
    """
    top = Path(_git(results, "rev-parse", "--show-toplevel").strip())
    base = _git(results, "merge-base", since, "HEAD").strip()
    listed = _git(results, "diff", "--name-only", "--relative", "-z", "--diff-filter=d", base, "--", "scores")
    cards = {Path(name).with_suffix(".json") for name in listed.split("\0") if name}
    entries = _changed_entries(top, base)
    cards |= {path.relative_to(results) for path in results.glob("scores/*/*.json") if path.stem in entries}
    return sorted(
        RowOf(path.stem, path.parent.name)
        for path in cards
        if len(path.parts) == 3 and (results / path).is_file()
    )


def _changed_entries(top: Path, base: str) -> set[str]:
    """Candidates whose entries are not as they were."""
    if not (top / REGISTRY).is_file():
        return set()
    now = Registry.read(top / REGISTRY).candidates
    try:
        text = _git(top, "show", f"{base}:{REGISTRY}")
    except ResultError:
        return set(now)
    with tempfile.TemporaryDirectory() as folder:
        former = Path(folder) / REGISTRY
        former.write_text(text, encoding="utf-8")
        before = Registry.read(former).candidates
    return {name for name, entry in now.items() if before.get(name) != entry}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise ResultError(f"git cannot compare {folder}: {said.strip().splitlines()[-1]}") from error
    return done.stdout


def main() -> int:
    """Print candidate and data set of each row, with a tab between them."""
    parser = argparse.ArgumentParser(prog="python -m vaescreen.ranking.changes", description=__doc__)
    parser.add_argument("since", metavar="REF", help="commit, branch or tag")
    parser.add_argument("--results", type=Path, default=Path("leaderboards/results"), metavar="DIR")
    given = parser.parse_args()
    try:
        for row in changed_rows(given.results, given.since):
            print(*row, sep="\t")
    except VaescreenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
