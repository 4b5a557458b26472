import json
from pathlib import Path

import pytest
from small import write_pictures, write_registry

from vaescreen.predictor.files import shipped_path
from vaescreen.storage import cache_dir, write_json


def card(candidate: str, data: str, ceiling: float) -> dict:
    record = json.loads(shipped_path("compact").read_text())
    features, definition = record["points"][0]["features"], record["definition"]
    summary = features | {"psnr": ceiling, **{f"band_{band}1": 1e-4 for band in ("LH", "HL", "HH")}}
    return {
        "protocol": definition["protocol"],
        "candidate": candidate,
        "geometry": {"channels": 4, "factor": 8},
        "data": {"name": data, "fingerprint": f"pixels of {data}"},
        "view": {
            "size": definition["size"],
            "degradation": {key: definition[key] for key in ("kernel", "scale")},
            "conditioning": definition["conditioning"].partition(" from ")[2].split(" and "),
            "target": definition["conditioning"].partition(" from ")[0],
        },
        "summary": summary,
    }


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Path | str, ...]:
    results, registry = tmp_path / "results", write_registry(tmp_path)
    places = ((results, "dct-f16c4", 27.0), (cache_dir() / "results", "haar-f16c4", 45.0))
    for folder, candidate, ceiling in places:
        write_json(folder / "scores" / "pictures" / f"{candidate}.json", card(candidate, "pictures", ceiling))
    data = write_pictures(tmp_path / "pictures")
    return (
        *("reference", "plan", "--suggest", "--data", data),
        *("--registry", registry, "--results", results),
    )


def test_trainings_are_ranked_from_cards_of_results_and_cache(run, planned) -> None:
    records = json.loads(run(*planned, "--format", "json").stdout)["rows"]
    assert [record["candidate"] for record in records] == ["haar-f16c4", "dct-f16c4"]
    assert all(record["after"] < record["before"] for record in records)
    assert "narrower by" in run(*planned).stdout


def test_only_the_candidates_named_are_ranked(run, planned, tmp_path) -> None:
    path = tmp_path / "results" / "scores" / "pictures" / "pca-f16c4.json"
    write_json(path, card("pca-f16c4", "pictures", 60.0))
    named = run(*planned, "dct-f16c4", "haar-f16c4", "--format", "json")
    assert {record["candidate"] for record in json.loads(named.stdout)["rows"]} == {"dct-f16c4", "haar-f16c4"}


def test_without_a_predictor_nothing_can_be_narrowed(run, planned) -> None:
    result = run(*planned, "--recipe", "compact+samples=32")
    assert result.exit_code == 1
    assert "no predictor is shipped for recipe 'compact+samples=32'" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_training_is_foreseen_and_recorded_beside_what_it_reached(run, tmp_path) -> None:
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    results = tmp_path / "results"
    where = ("--data", pictures, "--registry", registry, "--results", results)
    trained = run("reference", "train", "dct-f16c4", *where, "--processes", "1")
    assert trained.exit_code == 0, trained.stderr
    shown = run("predictor", "show", "--record", "--results", results, "--format", "json")
    (entry,) = json.loads(shown.stdout)["entries"]
    point = json.loads((results / "reference" / "compact" / "pictures" / "dct-f16c4-seed0.json").read_text())
    assert entry["outcome"]["sr_psnr"] == point["summary"]["sr_psnr"]
    assert entry["prediction"]["targets"]["sr_psnr"]["interval"]
