import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import Result

ROW = {
    "candidate",
    "rank",
    "predicted_sr_psnr",
    "interval",
    "ae_ceiling",
    "ssim",
    "probe_psnr",
    "geometry",
    "floor",
    "extrapolation",
    "p_best",
    "predicted_posterior_mean_psnr",
    "posterior_mean_interval",
}


@pytest.fixture(autouse=True)
def ranked_cache(ranked, monkeypatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(ranked.cache))


def test_json_is_one_object_with_a_row_for_each_candidate_and_the_floor(ranked) -> None:
    assert ranked.printed.exit_code == 0
    payload = json.loads(ranked.printed.stdout)
    assert {"title", "data", "recipe", "by", "protocol", "rows"} <= payload.keys()
    assert {"missing", "skipped", "failed", "verdict"} <= payload.keys()
    assert payload["recipe"] == "compact"
    assert "REAL" in payload["title"]
    assert all(payload["rows"][0].keys() >= ROW for row in payload["rows"])
    assert sorted(row["candidate"] for row in payload["rows"]) == ["bicubic", "dct-f16c4", "pca-f16c4"]
    assert [row["rank"] for row in payload["rows"] if not row["floor"]] == [1, 2]
    assert [row["candidate"] for row in payload["rows"] if row["floor"]] == ["bicubic"]


@pytest.fixture(scope="module")
def anew(ranked, run, tmp_path_factory) -> tuple[list[str], Result]:
    """The same ranking, measured a second time: its arguments, and what it printed in quiet."""
    arguments = [*ranked.arguments]
    arguments[arguments.index("--results") + 1] = str(tmp_path_factory.mktemp("anew"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(ranked.cache))
        return arguments, run(*arguments, "--quiet")


def test_two_runs_differ_in_their_timings_alone(ranked, run, anew) -> None:
    texts, took = [], []
    for printed in (ranked.printed, run(*anew[0], "--format", "json")):
        payload = json.loads(printed.stdout)
        took.append(payload.pop("timings"))
        texts.append(json.dumps(payload))
    assert texts[0] == texts[1]
    assert [each["candidate"] for each in took[0]] == [each["candidate"] for each in took[1]]
    assert all(each["ms_per_image"] > 0 for each in took[0])


def test_rows_are_told_as_they_come(ranked) -> None:
    rows = {row["candidate"]: row for row in json.loads(ranked.printed.stdout)["rows"]}
    lines = [line for line in ranked.printed.stderr.splitlines() if " so far" in line]
    assert [line.partition(" ")[0] for line in lines] == ["1/2", "2/2"]
    for line in lines:
        row = rows[line.split()[1].rstrip(":")]
        low, high = row["interval"]
        assert f": {row['predicted_sr_psnr']:.2f} ± {(high - low) / 2:.2f} dB so far" in line


def test_quiet_prints_the_table_and_the_verdict_alone(run, anew) -> None:
    arguments, quiet = anew
    assert quiet.exit_code == 0
    assert quiet.stderr == ""
    assert "Predicted in dB for recipe" not in quiet.stdout
    assert " dB predicted (" in quiet.stdout
    loud = run(*arguments, "--no-progress")
    assert loud.stderr == ""
    assert "Predicted in dB for recipe" in loud.stdout


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
    table = shown[shown.index("rank  candidate") :]
    order = [table.index(row["candidate"]) for row in payload["rows"]]
    assert order == sorted(order)
    assert "bicubic (floor)" in shown


@pytest.mark.parametrize("columns", [80, 100, 60])
def test_the_table_fits_the_terminal_and_cuts_no_number(ranked, run, monkeypatch, columns) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run(*ranked.arguments).stdout
    lines = shown.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("rank  candidate"))
    table = lines[start : start + 5]
    assert all(len(line) <= max(columns, 72) for line in table)
    assert "…" not in shown
    for row in json.loads(ranked.printed.stdout)["rows"]:
        if not row["floor"]:
            assert f"{row['predicted_sr_psnr']:.2f}" in shown
            assert f"{row['predicted_posterior_mean_psnr']:.2f}" in shown


def test_all_columns_have_the_intervals(ranked, run) -> None:
    shown = run(*ranked.arguments, "--columns", "all").stdout
    for row in json.loads(ranked.printed.stdout)["rows"]:
        if not row["floor"]:
            low, high = row["posterior_mean_interval"]
            assert f"{low:.2f} to {high:.2f}" in shown


def test_the_verdict_is_last_in_the_terminal_and_first_in_markdown(ranked, run) -> None:
    verdict = json.loads(ranked.printed.stdout)["verdict"]
    assert verdict["choice"] in verdict["lines"][0]
    assert 1 <= len(verdict["lines"]) <= 5
    shown = run(*ranked.arguments).stdout.rstrip("\n").splitlines()
    told = [line for line in shown if any(line.startswith(each.rstrip(".")) for each in verdict["lines"])]
    assert len(told) == len(verdict["lines"])
    assert shown[-1] == told[-1]
    marked = run(*ranked.arguments, "--format", "markdown").stdout
    assert marked.index(verdict["lines"][0]) < marked.index("| rank |")


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
    assert any(line.startswith("| rank | candidate | SR PSNR |") for line in lines)
    assert "┊" not in "".join(line for line in lines if line.startswith("|"))
    assert lines[-1].startswith("- ")


def test_candidates_not_downloaded_are_named_with_size_and_command(ranked, run) -> None:
    result = run(*ranked.arguments, "far")
    assert result.exit_code == 0
    assert "far (335 MB)" in result.stdout
    assert "vaescreen registry pull NAME" in result.stdout


def test_strict_tells_a_script_that_not_all_was_done(ranked, run) -> None:
    assert run(*ranked.arguments, "--strict").exit_code == 0
    assert run(*ranked.arguments, "far", "--strict").exit_code == 3
    assert run(*ranked.arguments, "far").exit_code == 0


def test_name_is_what_the_data_are_called(ranked) -> None:
    payload = json.loads(ranked.printed.stdout)
    assert payload["data"]["name"] == "mine"
    assert payload["title"].startswith("mine: ")


def test_the_python_api_gives_the_same_object(ranked) -> None:
    import vaescreen

    _, _, data, *names, _, registry, _, name, _, results, _, _, _, predictor = ranked.arguments
    ranking = vaescreen.rank(
        vaescreen.DataOptions(data, name=name),
        names,
        predictor=Path(predictor),
        at=vaescreen.Workplace(Path(registry), Path(results)),
    )
    printed = json.loads(ranked.printed.stdout)
    assert ranking.as_json().items() <= printed.items()
    assert printed["schema"] == "vaescreen/rank/2"
    assert printed["command"] == "rank"


def test_predictions_are_of_all_targets_and_add_up_to_one_best(ranked) -> None:
    rows = [row for row in json.loads(ranked.printed.stdout)["rows"] if not row["floor"]]
    assert sum(row["p_best"] for row in rows) == pytest.approx(1)
    for row in rows:
        for value, interval in (
            (row["predicted_sr_psnr"], row["interval"]),
            (row["predicted_posterior_mean_psnr"], row["posterior_mean_interval"]),
            (row["predicted_detail"], row["detail_interval"]),
        ):
            assert interval[0] <= value <= interval[1]


@pytest.mark.parametrize("bare", [("--explain",), ("--explain", "--split-seed", "0")])
def test_explain_alone_explains_all(ranked, run, bare) -> None:
    payload = json.loads(run(*ranked.arguments, "--format", "json", *bare).stdout)
    assert payload["explanations"].keys() == {"pca-f16c4", "dct-f16c4"}
    predicted = {row["candidate"]: row["predicted_sr_psnr"] for row in payload["rows"]}
    mean = sum(predicted[name] for name in payload["explanations"]) / 2
    for name, influences in payload["explanations"].items():
        assert sum(each["effect"] for each in influences) == pytest.approx(predicted[name] - mean)


def test_explain_one_candidate(ranked, run) -> None:
    shown = run(*ranked.arguments, "--explain", "pca-f16c4").stdout
    assert "Why pca-f16c4: " in shown
    assert "Why dct-f16c4" not in shown


def test_explaining_what_is_not_ranked_is_an_error(ranked, run) -> None:
    result = run(*ranked.arguments, "--explain", "far")
    assert result.exit_code == 1
    assert "'far' is not ranked; explain one of" in result.stderr


def test_a_predictor_of_ones_own_ranks(ranked, run, tmp_path) -> None:
    record = json.loads(Path(ranked.arguments[-1]).read_text())
    for target in record["targets"].values():
        target["model"]["trend"][0] += 10
    own = tmp_path / "own.json"
    own.write_text(json.dumps(record))
    payload = json.loads(run(*ranked.arguments, "--predictor", own, "--format", "json").stdout)
    before = {row["candidate"]: row["predicted_sr_psnr"] for row in json.loads(ranked.printed.stdout)["rows"]}
    for row in payload["rows"]:
        if not row["floor"]:
            assert row["predicted_sr_psnr"] == pytest.approx(before[row["candidate"]] + 10)


def test_a_predictor_of_another_recipe_is_refused(ranked, run, tmp_path) -> None:
    record = json.loads(Path(ranked.arguments[-1]).read_text()) | {"recipe": "other"}
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record))
    result = run(*ranked.arguments, "--predictor", other)
    assert result.exit_code == 1
    assert "predicts recipe 'other', not 'compact'" in result.stderr
