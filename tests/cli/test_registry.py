import json
import re
from pathlib import Path

import pytest


def entry(name: str, channels: int = 16) -> str:
    return f"""
  {name}:
    adapter: linear
    source: {{basis: dct}}
    geometry: {{channels: {channels}, factor: 8}}
    domain: none
    family: linear-dct
    licence: Apache-2.0
    training_data: none
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's own registry file, with the codec `mine`."""
    file = tmp_path / "config" / "registry.yaml"
    file.parent.mkdir()
    file.write_text("candidates:\n" + entry("mine"))
    return file


def test_list_has_a_row_for_every_candidate(run) -> None:
    records = json.loads(run("registry", "list", "--format", "json").stdout)["rows"]
    by_name = {record["candidate"]: record for record in records}
    assert len(by_name) == len(records) >= 29
    assert by_name["pca-f8c4"] == {
        "candidate": "pca-f8c4",
        "channels": 4,
        "factor": 8,
        "domain": "none",
        "licence": "Apache-2.0",
        "gated": False,
        "size_mb": None,
        "available": True,
        "unverified": [],
    }
    assert by_name["taesd"]["size_mb"] == 10


def test_list_as_a_table(run) -> None:
    shown = run("registry", "list").stdout
    assert "f8c4" in shown
    assert "Stability AI Community" in shown


def test_show_prints_the_entry(run) -> None:
    entry = json.loads(run("registry", "show", "taesd", "--format", "json").stdout)
    assert entry["source"]["hub"] == "madebyollin/taesd"
    assert entry["geometry"] == {"channels": 4, "factor": 8}
    assert entry["domain"] == "natural"


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (("--domain", "medical"), lambda row: row["domain"] == "medical"),
        (("--factor", "8"), lambda row: row["factor"] == 8),
        (("--channels", "16"), lambda row: row["channels"] == 16),
        (("--licence", "mit"), lambda row: row["licence"] == "MIT"),
        (("--max-mb", "10"), lambda row: row["size_mb"] is not None and row["size_mb"] <= 10),
        (("--available",), lambda row: row["available"]),
        (("--missing",), lambda row: not row["available"]),
        (("--factor", "4", "--channels", "3"), lambda row: (row["factor"], row["channels"]) == (4, 3)),
    ],
)
def test_list_keeps_what_is_asked_for(run, monkeypatch, tmp_path, arguments, kept) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    every = json.loads(run("registry", "list", "--format", "json").stdout)["rows"]
    shown = json.loads(run("registry", "list", *arguments, "--format", "json").stdout)["rows"]
    assert shown == [row for row in every if kept(row)]
    assert 0 < len(shown) < len(every)


def test_list_of_permissive_licences_leaves_out_those_that_could_not_be_confirmed(run) -> None:
    shown = json.loads(run("registry", "list", "--license", "permissive", "--format", "json").stdout)["rows"]
    names = {row["candidate"] for row in shown}
    assert {"taesd", "flux.1-schnell", "medical-f4c1"} <= names
    assert not names & {"sd3.5-medium", "kl-f8-d16", "kl-f4"}


def test_list_marks_what_could_not_be_confirmed(run) -> None:
    shown = run("registry", "list").stdout
    assert "MIT ?" in shown
    assert "Stability AI Community, gated" in shown
    assert "? could not be confirmed" in shown


def test_show_names_the_file_that_the_entry_comes_from(run, own) -> None:
    assert json.loads(run("registry", "show", "mine", "--format", "json").stdout)["file"] == str(own)
    assert json.loads(run("registry", "show", "taesd", "--format", "json").stdout)["file"] != str(own)


def test_check_without_names_validates_all_files(run, own) -> None:
    result = run("registry", "check")
    assert result.exit_code == 0
    assert result.stdout.endswith(f"{own}: 1 candidate, all valid\n")


def test_check_prints_a_finding_for_each_check_and_the_verdict(run, own) -> None:
    result = run("registry", "check", "mine", "--size", "64", "--verbose")
    assert result.exit_code == 0, result.stdout
    assert re.search(r"cost .*\(\d+\.\d s\)", " ".join(result.stdout.split()))
    for check in ("channels", "value range", "size multiple", "determinism", "batches", "latents", "cost"):
        assert check in result.stdout
    assert result.stdout.endswith("mine: accepted\n")


def test_check_of_several_is_a_row_for_each_and_exits_1_when_one_is_refused(run, own) -> None:
    own.write_text(own.read_text() + entry("broken", channels=70))
    arguments = ("registry", "check", "mine", "broken", "--size", "64")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "2 examined, 1 refused" in result.stdout
    reports = json.loads(run(*arguments, "--format", "json").stdout)["rows"]
    assert [(report["candidate"], report["refused"]) for report in reports] == [
        ("mine", False),
        ("broken", True),
    ]
    assert reports[0]["measured"]["psnr"] > 20
    assert "64 coefficients, not 70" in reports[1]["findings"][0]["message"]


def test_check_looks_at_the_images_that_are_given(run, own, tmp_path) -> None:
    from small import write_pictures

    pictures = write_pictures(tmp_path / "pictures")
    results = [
        json.loads(run("registry", "check", "mine", "--size", "64", *more, "--format", "json").stdout)["rows"]
        for more in ((), ("--data", pictures))
    ]
    assert results[0][0]["measured"]["psnr"] != results[1][0]["measured"]["psnr"]


def test_check_of_one_that_is_not_here_says_how_to_get_it(run, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    result = run("registry", "check", "taesd")
    assert result.exit_code == 1
    assert "vaescreen registry pull taesd" in result.stderr


def test_remove_takes_an_entry_out_and_says_which_counts_again(run, own) -> None:
    own.write_text(own.read_text() + entry("taesd"))
    assert run("registry", "remove", "mine").stdout == f"mine: removed from {own}\n"
    assert "counts again" in run("registry", "remove", "taesd").stdout
    assert run("registry", "show", "mine").exit_code == 1
    assert "comes with the package" in run("registry", "remove", "taesd").stderr


def test_pull_of_an_archive_that_is_not_on_the_hub_says_where_it_lies(run) -> None:
    result = run("registry", "pull", "kl-f4", "dct-f4c3")
    assert result.exit_code == 1
    assert "ommer-lab.com/files/latent-diffusion/kl-f4.zip" in result.stderr
    assert result.stdout == "dct-f4c3: nothing to download\n"


def test_add_writes_into_the_users_own_registry_and_prints_the_entry(run, tmp_path) -> None:
    from vaescreen.autoencoders.weights import locate
    from vaescreen.registry.catalogue import Registry

    weights = locate(Registry.load().candidate("generic-f4c1")).weights.parent
    result = run("registry", "add", weights, "--name", "fresh", "--licence", "MIT", "--size", "64")
    assert result.exit_code == 0, result.stderr
    assert "fresh: accepted" in result.stdout
    assert "unverified: domain, training_data" in result.stdout
    _, file, entry, *_ = result.stdout.split("\n\n")
    assert file == f"{tmp_path / 'config' / 'registry.yaml'}:"
    assert entry in (tmp_path / "config" / "registry.yaml").read_text()
    assert "geometry: {channels: 1, factor: 4}" in entry
    assert json.loads(run("registry", "show", "fresh", "--format", "json").stdout)["licence"] == "MIT"


@pytest.mark.parametrize("name", ["dct-f4c3", "pca-f8c4"])
def test_pull_of_a_codec_downloads_nothing(run, name: str) -> None:
    assert run("registry", "pull", name).stdout == f"{name}: nothing to download\n"


def test_pull_checks_all_names_first(run) -> None:
    result = run("registry", "pull", "dct-f4c3", "tiesd")
    assert result.exit_code == 1
    assert "did you mean 'taesd'?" in result.stderr
    assert result.stdout == ""
