"""Pages from simulated results, against golden files.

`REGENERATE_GOLDEN=1 pytest tests/leaderboard` writes the golden files anew; look at what changed before
keeping it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from simulated import CANDIDATES

from vaescreen.errors import ResultError
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.points import load_points
from vaescreen.reports.leaderboard.pages import make_pages
from vaescreen.reports.leaderboard.publish import publish, stale

GOLDEN = Path(__file__).parents[2] / "golden" / "leaderboard"
BOARDS = ("brain", "chest-phantom", "chest", "natural")
PAGES = ("README.md", "predictions-compact.md", *(f"{data}.md" for data in BOARDS))


@pytest.fixture
def out(published, tmp_path):
    """A copy of `published`."""
    return Path(shutil.copytree(published, tmp_path / "out"))


def pages_of(simulated, data=(), candidates=()):
    """Pages by file name, without figures."""
    made, _ = make_pages(simulated.folder, data, candidates)
    return {name: text for page in made for name, text in page.files.items()}


def doubts_of(simulated):
    """Which results have no row, and why."""
    return make_pages(simulated.folder)[1]


def test_pages_are_the_golden_ones(out):
    """But for the list of published autoencoders without a row, which grows with the registry."""
    pages = {name: re.sub("Not scored yet: .*\n\n", "", (out / name).read_text()) for name in PAGES}
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (GOLDEN / name).write_text(text)
    assert sorted(path.name for path in out.glob("*.md")) == sorted(PAGES)
    for name, text in pages.items():
        assert text == (GOLDEN / name).read_text(), name


def test_publishing_again_gives_the_same_bytes(simulated, out, tmp_path):
    again = publish(simulated.folder, tmp_path / "again").files
    of_a_board = {".md", ".json", ".csv", "-forest.svg"}
    of_the_recipe = {
        "predictions-compact.md",
        "predictions-compact.json",
        "compact-ceiling.svg",
        "compact-prediction.svg",
    }
    expected = {data + part for data in BOARDS for part in of_a_board} | of_the_recipe | {"README.md"}
    assert {path.name for path in again} == expected
    for path in again:
        assert path.read_bytes() == (out / path.relative_to(tmp_path / "again")).read_bytes(), path.name


def test_no_page_holds_a_nan(out):
    for page in out.glob("*.md"):
        assert not re.search(r"\b(nan|NaN|inf|None)\b", page.read_text())


def test_nothing_is_stale_after_publishing(simulated, out):
    assert stale(simulated.folder, out) == []


def test_one_changed_number_makes_the_page_stale(simulated, out):
    def faster(record, frame):
        record["summary"]["encode_ms"] += 1.0

    simulated.edit(simulated.card_path("chest-phantom", "pca-sim-f4c4"), faster)
    assert stale(simulated.folder, out) == [
        f"{out / 'chest-phantom'}{suffix} differs from the result files"
        for suffix in (".md", ".json", ".csv")
    ]


def test_a_changed_reference_point_makes_pages_and_figures_stale(simulated, out):
    def better(record, frame):
        frame["sr_psnr"] += 0.5
        record["summary"]["sr_psnr"] += 0.5

    simulated.edit(simulated.reference_path("chest", "medical-sim-f4c4"), better)
    problems = "\n".join(stale(simulated.folder, out))
    for name in ("README.md", "chest.md", "chest.csv", "compact-ceiling.svg", "compact-prediction.svg"):
        assert name in problems


def test_pages_missing_edited_or_left_over_are_stale(simulated, out):
    (out / "brain.md").unlink()
    (out / "natural.md").write_text((out / "natural.md").read_text() + "edited\n")
    shutil.copy(out / "chest.md", out / "knee.md")
    (out / "notes.md").write_text("written by hand\n")
    (out / "figures" / "compact-ceiling.svg").unlink()
    assert stale(simulated.folder, out) == [
        f"{out / 'brain.md'} is missing",
        f"{out / 'natural.md'} differs from the result files",
        f"{out / 'figures' / 'compact-ceiling.svg'} is missing",
        f"{out / 'knee.md'} belongs to no result file",
    ]
    publish(simulated.folder, out)
    assert stale(simulated.folder, out) == []
    assert not (out / "knee.md").exists()
    assert (out / "notes.md").exists()


def test_score_cards_that_no_predictor_takes_are_ranked_by_the_probe(simulated):
    shutil.rmtree(simulated.folder / "reference")
    assert "ranked by convolutional probe PSNR" in pages_of(simulated)["chest.md"]


def test_too_few_points_are_shown_but_not_fitted(simulated):
    for data in ("brain", "natural"):
        shutil.rmtree(simulated.folder / "reference" / "compact" / data)
    pages = pages_of(simulated)
    for page in ("README.md", "predictions-compact.md"):
        assert "No predictor: recipe 'compact' has 5 reference points" in pages[page]
    assert "<summary>Measured after training: recipe compact</summary>" in pages["chest.md"]
    assert "ranked by convolutional probe PSNR" in pages["chest.md"]


def test_what_is_called_left_out_does_not_come_from_the_candidate(simulated):
    """Moving every measured value of a candidate leaves its own predictions where they were, and moves others."""

    def worse(record, frame):
        for name in ("sr_psnr", "posterior_mean_psnr"):
            frame[name] -= 1.0
            record["summary"][name] -= 1.0

    before = pages_of(simulated)["chest.md"]
    for data in ("chest", "brain", "natural"):
        simulated.edit(simulated.reference_path(data, "medical-sim-f4c4"), worse)
    after = pages_of(simulated)["chest.md"]
    for candidate, same in (("medical-sim-f4c4", True), ("pca-sim-f4c4", False)):
        assert (_left_out(before, candidate) == _left_out(after, candidate)) is same


def _left_out(page, candidate):
    measured = page.partition("<summary>Measured after training")[2]
    line = next(line for line in measured.splitlines() if re.match(rf"\| \S+ \| {candidate} ", line))
    return line.split(" | ")[4:6]


def test_the_page_prints_what_rank_would(simulated, out):
    predictor = fit(load_points(simulated.folder, "compact"), "compact")
    made = predictor.predict(simulated.card("chest", "generic-sim-f4c4"))
    page = (out / "chest.md").read_text()
    assert f"| generic-sim-f4c4 | {made.value:.2f} ± {(made.high - made.low) / 2:.2f} |" in page


def test_the_first_table_has_at_most_eight_columns_and_rank_1_in_its_first_row(out):
    for name in PAGES[2:]:
        lines = (out / name).read_text().partition("## Ranking")[2].splitlines()
        rows = [line for line in lines if line.startswith("|")]
        assert rows[0].count(" | ") < 8
        assert rows[2].startswith("| 1 | ")
        ranking = "".join(rows[: rows.index("| without an autoencoder | SR PSNR |")])
        assert "bicubic" not in ranking
        assert "pca-sim" not in ranking


def test_the_verdict_comes_before_everything_but_what_is_not_scored(out):
    lines = [line for line in (out / "chest.md").read_text().splitlines() if line]
    assert lines[1] == "# chest"
    assert lines[2].startswith("Not scored yet: ")
    assert lines[4].startswith("- **Choose ")


def test_csv_and_json_have_the_rows_of_the_page(simulated, out):
    board = simulated.board("chest")
    names, controls = ([row.candidate for row in rows] for rows in (board.rows, board.controls))
    published = json.loads((out / "chest.json").read_text())
    assert [row["candidate"] for row in published["rows"]] == names
    assert [row["candidate"] for row in published["controls"]] == controls
    frame = pd.read_csv(out / "chest.csv")
    assert list(frame["candidate"]) == names + controls
    assert list(frame["candidate"][frame["control"]]) == controls
    assert {"interval_low", "interval_high", "channels"} <= set(frame)


def test_a_doubtful_row_is_left_out_and_named_and_all_others_stay(simulated, out):
    def copied(record, frame):
        return frame.assign(psnr=values)

    values = pd.read_parquet(simulated.card_path("chest", "generic-sim-f4c4").with_suffix(".parquet"))["psnr"]
    simulated.edit(simulated.card_path("chest", "medical-sim-f4c4"), copied)
    record = json.loads(simulated.card_path("chest", "medical-sim-f4c4").read_text())
    record["summary"]["psnr"] = float(values.mean())
    simulated.card_path("chest", "medical-sim-f4c4").write_text(json.dumps(record))
    simulated.card_path("brain", "pca-sim-f8c4").write_text("{")
    copy, damaged = sorted(doubts_of(simulated), key=lambda doubt: "brain" in doubt)
    assert "so it may be a copy of it" in copy
    assert "pca-sim-f8c4" in damaged
    pages = pages_of(simulated)
    chest, brain = pages["chest.md"], pages["brain.md"]
    assert "may be a copy" in chest
    assert "| medical-sim-f4c4 |" not in chest
    assert "| generic-sim-f4c4 |" in chest
    assert "| pca-sim-f8c4 |" not in brain
    assert "| pca-sim-f4c4 |" in brain
    assert any("may be a copy" in line for line in stale(simulated.folder, out))


def test_the_odd_one_out_is_left_out_even_if_it_comes_first(simulated):
    simulated.edit(
        simulated.card_path("chest", "generic-sim-f4c4"),
        lambda record, frame: record["data"].update(fingerprint="0123456789"),
    )
    assert [doubt.partition(":")[0] for doubt in doubts_of(simulated)] == [
        "scores/chest/generic-sim-f4c4.json"
    ]


def test_private_data_get_no_page_unless_asked_for(simulated):
    for candidate in CANDIDATES:
        simulated.edit(
            simulated.card_path("brain", candidate),
            lambda record, frame: record["data"]["description"].update(private=True),
        )
    pages = pages_of(simulated)
    assert "brain.md" not in pages
    assert "(brain.md)" not in pages["README.md"]
    asked = pages_of(simulated, data=["brain"])
    assert "brain.md" in asked
    assert "chest.md" not in asked


def test_only_the_candidates_asked_for_are_shown(simulated):
    page = pages_of(simulated, data=["chest"], candidates=["pca-sim-f4c4"])["chest.md"]
    assert "| pca-sim-f4c4 |" in page
    assert "medical-sim-f4c4" not in page
    with pytest.raises(ResultError, match="no score cards of knee"):
        pages_of(simulated, data=["knee"])


def test_nothing_that_a_stranger_wrote_is_markup(simulated):
    hostile = "<script>alert(1)</script>|[x](javascript:alert(2))`*_"

    def spoil(record, frame):
        record |= {"command": f"vaescreen\n```\n{hostile}", "domain": hostile}
        record["environment"]["cpu"] = hostile

    simulated.edit(simulated.card_path("chest", "pca-sim-f4c4"), spoil)
    text = re.sub(r"```\n.*?\n```", "", pages_of(simulated)["chest.md"], flags=re.DOTALL)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\[x\\](javascript" in text
    assert "```" not in text
    widths = {
        len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if "sim-f4c4 | f4c4 |" in line
    }
    assert len(widths) == 1


def test_pages_are_the_same_in_another_language_time_zone_width_and_order_of_hashes(simulated, out, tmp_path):
    elsewhere = os.environ | {
        "VAESCREEN_CACHE": str(tmp_path / "cold"),
        "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "COLUMNS": "40", "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "vaescreen",
        "publish",
        "--results",
        simulated.folder,
        "--out",
        tmp_path / "else",
    ]
    subprocess.run(command, env=elsewhere, check=True, capture_output=True)
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "else" / path.relative_to(out)).read_bytes(), path.name


def test_the_pages_show_the_mean_over_seeds(simulated):
    first = simulated.reference_path("brain", "pca-sim-f4c4")
    second = first.with_name("pca-sim-f4c4-seed1.json")
    for suffix in (".json", ".parquet"):
        second.with_suffix(suffix).write_bytes(first.with_suffix(suffix).read_bytes())

    def shift(record, frame):
        record["seed"] = 1
        record["summary"]["sr_psnr"] += 1
        del record["summary"]["sr_ssim"]
        return frame.assign(sr_psnr=frame["sr_psnr"] + 1)

    simulated.edit(second, shift)
    alone = json.loads(first.read_text())["summary"]
    summary = simulated.board("brain").references["pca-sim-f4c4"]["summary"]
    assert summary["sr_psnr"] == pytest.approx(alone["sr_psnr"] + 0.5)
    assert summary["posterior_mean_psnr"] == pytest.approx(alone["posterior_mean_psnr"])
    assert "sr_ssim" not in summary


def test_the_page_names_whom_bicubic_beats_although_the_ceiling_leaves_room(simulated):
    def below(record, frame):
        bicubic = record["summary"]["bicubic_psnr"]
        frame["posterior_mean_psnr"] += bicubic - 0.5 - frame["posterior_mean_psnr"].mean()
        record["summary"]["posterior_mean_psnr"] = bicubic - 0.5

    def page() -> str:
        return pages_of(simulated, data=["chest"])["chest.md"]

    assert "Of 3 candidates whose ceiling lies 3 dB or more above bicubic, all pass bicubic" in page()
    simulated.edit(simulated.reference_path("chest", "pca-sim-f4c4"), below)
    assert "1 do not pass bicubic by their one-step output: pca-sim-f4c4." in page()
