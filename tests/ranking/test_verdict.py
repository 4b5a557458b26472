"""What a ranking says in words, from rows whose numbers are known."""

from typing import Any

import pytest

from vaescreen.predictor.suggestion import Suggestion
from vaescreen.ranking.table import Row, doubt_of_the_images
from vaescreen.ranking.verdict import verdict_of


def row(candidate: str, sr: float, mean: float, rank: int | None = 1, **more: Any) -> Row:
    return Row(
        candidate,
        rank=rank,
        predicted_sr_psnr=sr,
        interval=(sr - 0.5, sr + 0.5),
        predicted_posterior_mean_psnr=mean,
        posterior_mean_interval=(mean - 0.4, mean + 0.4),
        predicted_detail=more.pop("detail", -3.0),
        latent_values=more.pop("values", 4096),
        ms_per_image=more.pop("ms", 30.0),
        **more,
    )


def bicubic(psnr: float) -> Row:
    return Row("bicubic", floor=True, sr_psnr=psnr)


ROWS = [
    row("large", 31.0, 32.0, p_best=0.6, detail=-2.0),
    row("like", 30.9, 31.9),
    row("small", 30.8, 31.0, 3, values=1024),
    row("quick", 30.0, 30.5, 4, ms=3.0),
    bicubic(30.2),
]


def test_what_to_choose_how_sure_and_who_is_as_good() -> None:
    first = verdict_of(ROWS, "sr_psnr").lines[0]
    assert first == (
        "Choose large: SR PSNR 31.00 dB predicted (30.50 to 31.50), first with a probability of 60 %. "
        "It cannot be told apart from like."
    )


@pytest.mark.parametrize(
    ("tolerance", "said"), [(None, "costs 0.20 dB;"), (0.3, "costs 0.20 dB (-0.10 to 0.50);")]
)
def test_what_less_costs_with_the_interval_of_the_difference(tolerance: float | None, said: str) -> None:
    verdict = verdict_of(ROWS, "sr_psnr", tolerance=tolerance)
    line = verdict.told[1]
    assert " ms " not in "".join(verdict.lines)  # which another run measures otherwise
    assert "small has 1024 latent values instead of 4096 and " + said in line
    assert "quick takes 3.0 ms an image instead of 30.0 and costs 1.00 dB" in line


def test_bicubic_and_what_it_means() -> None:
    assert "reaches 30.20 dB: 3 of 4 are predicted above it, large by 0.80 dB" in said(ROWS, "sr_psnr")
    assert "4 of 4 are predicted above it, large by 1.80 dB" in said(ROWS, "posterior_mean_psnr")
    between = [*ROWS[:-1], bicubic(31.5)]
    assert "0 of 4 are predicted above it in a sample's PSNR but 2 in that of the one-step output" in said(
        between
    )
    nothing = said([*ROWS[:-1], bicubic(33.0)])
    assert nothing.startswith("large is first, but below bicubic upsampling: SR PSNR 31.00 dB")
    assert "by PSNR nothing here beats interpolation. Super-resolve in pixels, or adapt" in nothing
    assert said([*ROWS[:-1], bicubic(33.0)], "detail").startswith("Choose large: detail")


def test_of_one_candidate_there_is_nothing_to_choose() -> None:
    alone = said([row("alone", 31, 32, p_best=1.0), bicubic(30)])
    assert alone.startswith("alone: SR PSNR 31.00 dB predicted (30.50 to 31.50). It is the only one ranked")
    assert "probability" not in alone
    assert "1 of 1 is predicted above it, alone by 1.00 dB" in alone


def test_where_all_are_alike_any_will_do_and_a_smaller_one_is_named_if_it_is_much_smaller() -> None:
    alike = [row(f"c{place}", 31 - place / 100, 32, values=4096 - place) for place in range(5)]
    lines = verdict_of(alike, "sr_psnr").lines
    assert lines[0].startswith("Any of the 5 will do, none can be told apart: c0 has SR PSNR 31.00 dB")
    assert "Less for less" not in "".join(lines)
    third = said([*alike, row("half", 30.9, 32, values=3072)])
    assert "half has 3072 latent values instead of 4096 and costs 0.10 dB" in third


def test_doubts_and_failures_stand_in_the_first_line() -> None:
    rows = [row("a", 31, 32, extrapolation=True), row("b", 30, 31, 2)]
    assert "Doubtful: its score card is unlike those of" in verdict_of(rows, "sr_psnr").lines[0]
    assert "Doubtful" not in verdict_of(rows[::-1], "sr_psnr").lines[0]
    images = verdict_of(ROWS, "sr_psnr", doubtful=True, failed=["broken", "empty"]).lines[0]
    assert "Doubtful: these images are unlike those of the reference points." in images
    assert images.endswith("Not ranked, for they failed: broken and empty.")


def said(rows: list[Row], by: str = "sr_psnr") -> str:
    return "\n".join(verdict_of(rows, by).lines)


def test_the_next_command_names_the_training_that_narrows_most() -> None:
    suggestion = Suggestion("small", "chest", before=0.4, after=0.3)
    last = verdict_of(ROWS, "sr_psnr", suggestion=suggestion, options="--data my/images").lines[-1]
    assert last.startswith("Next: `vaescreen reference train small --data my/images` would narrow")
    assert "25 %" in last
    useless = Suggestion("small", "chest", before=0.4, after=0.4)
    assert "Next" not in "\n".join(verdict_of(ROWS, "sr_psnr", suggestion=useless).lines)


def test_never_more_than_five_lines() -> None:
    suggestion = Suggestion("small", "chest", before=0.4, after=0.3)
    assert len(verdict_of(ROWS, "sr_psnr", tolerance=0.2, suggestion=suggestion).lines) <= 5


def test_without_a_predictor_the_probe_decides() -> None:
    rows = [Row("a", rank=1, probe_psnr=29.0), Row("b", rank=2, probe_psnr=28.0), bicubic(28.5)]
    assert verdict_of(rows, "sr_psnr").lines == ("Choose a: 29.00 dB by the convolutional probe.",)


def test_nothing_ranked_nothing_said() -> None:
    verdict = verdict_of([bicubic(30.0)], "sr_psnr")
    assert (verdict.choice, verdict.lines) == (None, ())


def test_a_doubt_that_most_share_is_of_the_images() -> None:
    doubtful = {"extrapolation": True, "extrapolation_reason": "bicubic PSNR 20.00 is outside"}
    rows = [row("a", 31, 32, **doubtful), row("b", 30, 31, **doubtful), row("c", 29, 30), bicubic(28)]
    unmarked, doubt = doubt_of_the_images(rows)
    assert not any(each.extrapolation for each in unmarked)
    assert "2 of 3 candidates are outside" in str(doubt)
    assert "bicubic PSNR 20.00" in str(doubt)


def test_a_doubt_about_one_candidate_is_its_own() -> None:
    rows = [row("a", 31, 32, extrapolation=True), row("b", 30, 31), row("c", 29, 30)]
    assert doubt_of_the_images(rows) == (rows, None)
