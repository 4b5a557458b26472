"""Rows that a change touches are found from git: by their cards, and by the entries of their candidates."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from simulated import Simulated, write_simulated

from vaescreen.errors import ResultError
from vaescreen.ranking.changes import RowOf, changed_rows


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Simulated:
    """A repository with a registry and results, all of it on `main`, and a branch `row` that is checked out."""
    results = write_simulated(tmp_path / "leaderboards" / "results")
    (tmp_path / "registry.yaml").write_text(
        yaml.safe_dump({"candidates": {name: entry(name) for name in ("one", "two")}})
    )
    git(tmp_path, "init", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "all")
    git(tmp_path, "switch", "--create", "row")
    return results


def entry(name: str) -> dict:
    return {
        "adapter": "diffusers",
        "source": {"hub": f"org/{name}", "revision": "0" * 40},
        "geometry": {"channels": 4, "factor": 8},
        "domain": "natural",
        "family": "org",
        "licence": "MIT",
        "training_data": "photographs",
    }


def copied(results: Simulated, candidate: str, data: str = "chest") -> None:
    for suffix in (".json", ".parquet"):
        source = results.card_path(data, "pca-sim-f4c4").with_suffix(suffix)
        results.card_path(data, candidate).with_suffix(suffix).write_bytes(source.read_bytes())


def test_nothing_has_changed_where_nothing_has(checkout: Simulated) -> None:
    assert changed_rows(checkout.folder, "main") == []


def test_new_and_edited_cards_are_found_and_deleted_ones_are_not(checkout: Simulated) -> None:
    copied(checkout, "two")
    checkout.card_path("brain", "pca-sim-f8c4").with_suffix(".parquet").write_bytes(b"edited")
    checkout.card_path("natural", "pca-sim-f8c4").unlink()
    (checkout.folder / "reference" / "note.txt").write_text("no row")
    git(checkout.folder, "add", ".")
    git(checkout.folder, "commit", "-m", "rows")
    assert changed_rows(checkout.folder, "main") == [RowOf("pca-sim-f8c4", "brain"), RowOf("two", "chest")]


def test_what_others_did_on_main_meanwhile_is_not_of_this_change(checkout: Simulated) -> None:
    git(checkout.folder, "switch", "main")
    copied(checkout, "one")
    git(checkout.folder, "add", ".")
    git(checkout.folder, "commit", "-m", "another row")
    git(checkout.folder, "switch", "row")
    assert changed_rows(checkout.folder, "main") == []


def test_an_entry_with_other_weights_touches_all_rows_of_its_candidate(checkout: Simulated) -> None:
    for data in ("chest", "brain"):
        copied(checkout, "two", data)
    git(checkout.folder, "add", ".")
    git(checkout.folder, "commit", "-m", "rows")
    registry = checkout.folder.parents[1] / "registry.yaml"
    registry.write_text(registry.read_text().replace("org/two", "org/three"))
    git(checkout.folder, "commit", "--all", "-m", "other weights")
    assert changed_rows(checkout.folder, "HEAD~1") == [RowOf("two", "brain"), RowOf("two", "chest")]


def test_the_command_prints_a_row_a_line(checkout: Simulated) -> None:
    copied(checkout, "two")
    git(checkout.folder, "add", ".")
    git(checkout.folder, "commit", "-m", "a row")
    command = [sys.executable, "-m", "vaescreen.ranking.changes", "main", "--results", checkout.folder]
    root = Path(__file__).parents[2]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert printed == "two\tchest\n"


@pytest.mark.parametrize("since", ["no-such-branch", "--output=x"])
def test_a_commit_that_is_not_there_is_said(checkout: Simulated, since: str) -> None:
    with pytest.raises(ResultError, match="git cannot compare"):
        changed_rows(checkout.folder, since)


def test_results_outside_of_a_checkout_are_said(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="git cannot compare"):
        changed_rows(tmp_path, "main")
