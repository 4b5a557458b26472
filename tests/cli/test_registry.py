import json

import pytest


def test_list_has_a_row_for_every_candidate(run) -> None:
    records = json.loads(run("registry", "list", "--format", "json").stdout)
    by_name = {record["candidate"]: record for record in records}
    assert len(by_name) == len(records) >= 29
    assert by_name["pca-f8c4"] == {
        "candidate": "pca-f8c4",
        "channels": 4,
        "factor": 8,
        "domain": "none",
        "licence": "Apache-2.0",
        "size_mb": None,
        "available": True,
    }
    assert by_name["taesd"]["size_mb"] == 10


def test_list_as_a_table(run) -> None:
    shown = run("registry", "list").stdout
    assert "f8c4" in shown
    assert "Stability AI Community" in shown


def test_show_prints_the_entry(run) -> None:
    entry = json.loads(run("registry", "show", "taesd").stdout)
    assert entry["source"]["hub"] == "madebyollin/taesd"
    assert entry["geometry"] == {"channels": 4, "factor": 8}
    assert entry["domain"] == "natural"


def test_check_counts_the_candidates_of_a_valid_file(run) -> None:
    result = run("registry", "check")
    assert result.exit_code == 0
    assert "candidates, all valid" in result.stdout


@pytest.mark.parametrize("name", ["dct-f4c3", "pca-f8c4"])
def test_pull_of_a_codec_downloads_nothing(run, name: str) -> None:
    assert run("registry", "pull", name).stdout == f"{name}: nothing to download\n"


def test_pull_checks_all_names_first(run) -> None:
    result = run("registry", "pull", "dct-f4c3", "tiesd")
    assert result.exit_code == 1
    assert "did you mean 'taesd'?" in result.stderr
    assert result.stdout == ""
