import csv
import io
import json
from pathlib import Path

import pytest

ROW = {
    "candidate",
    "rank",
    "predicted_sr_psnr",
    "interval",
    "ae_ceiling",
    "ssim",
    "probe_psnr",
    "geometry",
    "ms_per_image",
    "floor",
    "extrapolation",
}


@pytest.fixture(autouse=True)
def ranked_cache(ranked, monkeypatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(ranked.cache))


def test_json_is_one_object_with_a_row_for_each_candidate_and_the_floor(ranked) -> None:
    assert ranked.printed.exit_code == 0
    payload = json.loads(ranked.printed.stdout)
    assert {"title", "data", "recipe", "protocol", "rows", "missing", "skipped", "failed"} <= payload.keys()
    assert payload["recipe"] == "nano"
    assert "REAL" in payload["title"]
    assert all(payload["rows"][0].keys() >= ROW for row in payload["rows"])
    assert sorted(row["candidate"] for row in payload["rows"]) == ["bicubic", "dct-f16c4", "pca-f16c4"]
    assert [row["rank"] for row in payload["rows"] if not row["floor"]] == [1, 2]
    assert [row["candidate"] for row in payload["rows"] if row["floor"]] == ["bicubic"]


def test_progress_and_results_do_not_mix(ranked) -> None:
    assert "pca-f16c4" in ranked.printed.stderr
    json.loads(ranked.printed.stdout)


def test_the_second_run_measures_nothing(ranked, run) -> None:
    cards = sorted(ranked.results.rglob("*.json"))
    before = [(card, card.stat().st_mtime_ns) for card in cards]
    again = run(*ranked.arguments, "--format", "json")
    assert again.stdout == ranked.printed.stdout
    assert [(card, card.stat().st_mtime_ns) for card in cards] == before


def test_the_table_has_a_title_the_rows_and_a_footer(ranked, run) -> None:
    shown = run(*ranked.arguments).stdout
    payload = json.loads(ranked.printed.stdout)
    assert shown.startswith(payload["title"])
    order = [shown.index(row["candidate"]) for row in payload["rows"]]
    assert order == sorted(order)
    assert "bicubic (floor)" in shown


def test_csv_has_one_value_a_cell_and_nothing_else_on_stdout(ranked, run) -> None:
    result = run(*ranked.arguments, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    payload = json.loads(ranked.printed.stdout)
    assert [row["candidate"] for row in rows] == [row["candidate"] for row in payload["rows"]]
    best = next(row for row in rows if row["rank"] == "1")
    expected = next(row for row in payload["rows"] if row["rank"] == 1)
    assert float(best["ae_ceiling"]) == expected["ae_ceiling"]
    assert (best["channels"], best["factor"]) == ("4", "16")
    assert payload["title"] in result.stderr


def test_markdown_is_a_heading_a_pipe_table_and_notes(ranked, run) -> None:
    lines = run(*ranked.arguments, "--format", "markdown").stdout.splitlines()
    assert lines[0].startswith("# mine: ")
    assert lines[2].startswith("| rank | candidate |")
    assert lines[-1].startswith("- ")


def test_candidates_not_downloaded_are_named_with_size_and_command(ranked, run) -> None:
    result = run(*ranked.arguments, "far")
    assert result.exit_code == 0
    assert "far (335 MB)" in result.stdout
    assert "vaescreen registry pull NAME" in result.stdout


def test_name_is_what_the_data_are_called(ranked) -> None:
    payload = json.loads(ranked.printed.stdout)
    assert payload["data"]["name"] == "mine"
    assert payload["title"].startswith("mine: ")


def test_the_python_api_gives_the_same_object(ranked) -> None:
    import vaescreen

    _, _, data, *names, _, registry, _, name, _, results, _, _ = ranked.arguments
    ranking = vaescreen.rank(data, names, registry=Path(registry), name=name, results=Path(results))
    assert ranking.as_json() == json.loads(ranked.printed.stdout)
