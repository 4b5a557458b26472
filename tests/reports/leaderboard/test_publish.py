"""Pages from simulated results, against golden files.

`REGENERATE_GOLDEN=1 pytest tests/leaderboard` writes the golden files anew; look at what changed before
keeping it.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from vaescreen.reports.leaderboard.board import assemble
from vaescreen.reports.leaderboard.page import data_page
from vaescreen.reports.leaderboard.publish import publish, stale

GOLDEN = Path(__file__).parents[2] / "golden" / "leaderboard"
PAGES = ("README.md", "brain.md", "chest-phantom.md", "chest.md", "natural.md")


@pytest.fixture
def out(simulated, tmp_path):
    pytest.importorskip("matplotlib")
    publish(simulated.folder, tmp_path / "out")
    return tmp_path / "out"


def test_pages_are_the_golden_ones(out):
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        for name in PAGES:
            shutil.copy(out / name, GOLDEN / name)
    assert sorted(path.name for path in out.glob("*.md")) == sorted(PAGES)
    for name in PAGES:
        assert (out / name).read_text() == (GOLDEN / name).read_text(), name


def test_publishing_again_gives_the_same_bytes(simulated, out, tmp_path):
    again = publish(simulated.folder, tmp_path / "again")
    assert len(again) == len(PAGES) + 2
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
    assert stale(simulated.folder, out) == [f"{out / 'chest-phantom.md'} differs from the result files"]


def test_a_changed_reference_point_makes_pages_and_figures_stale(simulated, out):
    def better(record, frame):
        frame["sr_psnr"] += 0.5
        record["summary"]["sr_psnr"] += 0.5

    simulated.edit(simulated.reference_path("chest", "medical-sim-f4c4"), better)
    problems = "\n".join(stale(simulated.folder, out))
    for name in ("README.md", "chest.md", "compact-ceiling.svg", "compact-prediction.svg"):
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


def test_score_cards_alone_are_ranked_by_the_probe_without_figures(simulated, tmp_path):
    shutil.rmtree(simulated.folder / "reference")
    written = publish(simulated.folder, tmp_path / "out")
    assert {path.name for path in written} == set(PAGES)
    assert "ranked by convolutional probe PSNR" in (tmp_path / "out" / "chest.md").read_text()


def test_too_few_points_are_shown_but_not_fitted(simulated, tmp_path):
    pytest.importorskip("matplotlib")
    for data in ("brain", "natural"):
        shutil.rmtree(simulated.folder / "reference" / "compact" / data)
    publish(simulated.folder, tmp_path / "out")
    assert "No predictor: recipe 'compact' has 5 reference points" in (tmp_path / "out/README.md").read_text()
    page = (tmp_path / "out" / "chest.md").read_text()
    assert "## Measured after training: recipe compact" in page
    assert "ranked by convolutional probe PSNR" in page


def test_a_prediction_beside_a_measured_value_does_not_come_from_it(simulated, out, tmp_path):
    """Moving every measured value of a candidate must leave its own predictions where they were."""

    def worse(record, frame):
        for name in ("sr_psnr", "posterior_mean_psnr"):
            frame[name] -= 1.0
            record["summary"][name] -= 1.0

    for data in ("chest", "brain", "natural"):
        simulated.edit(simulated.reference_path(data, "medical-sim-f4c4"), worse)
    publish(simulated.folder, tmp_path / "moved")
    for data, same in (("chest", True), ("chest-phantom", False)):
        before, after = (_prediction(folder / f"{data}.md") for folder in (out, tmp_path / "moved"))
        assert (before == after) is same


def _prediction(page):
    lines = page.read_text().splitlines()
    line = next(line for line in lines if re.match(r"\| \d+ \| medical-sim-f4c4 ", line))
    return line.split(" | ")[4:6]


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
    board = next(board for board in assemble(simulated.folder).boards if board.data == "brain")
    summary = board.references["pca-sim-f4c4"]["summary"]
    assert summary["sr_psnr"] == pytest.approx(alone["sr_psnr"] + 0.5)
    assert summary["posterior_mean_psnr"] == pytest.approx(alone["posterior_mean_psnr"])
    assert "sr_ssim" not in summary


def test_the_page_names_whom_bicubic_beats_although_the_ceiling_leaves_room(simulated):
    def below(record, frame):
        bicubic = record["summary"]["bicubic_psnr"]
        frame["posterior_mean_psnr"] += bicubic - 0.5 - frame["posterior_mean_psnr"].mean()
        record["summary"]["posterior_mean_psnr"] = bicubic - 0.5

    def page() -> str:
        boards = assemble(simulated.folder).boards
        return data_page(next(board for board in boards if board.data == "chest"))

    assert "Of 3 candidates whose ceiling lies 3 dB or more above bicubic, all pass bicubic" in page()
    simulated.edit(simulated.reference_path("chest", "pca-sim-f4c4"), below)
    assert "1 do not pass bicubic by their posterior mean: pca-sim-f4c4." in page()
