import json

import pytest


@pytest.fixture
def arguments(ranked, monkeypatch) -> tuple[str, ...]:
    """Score the codecs that have been ranked, on the same pictures and with the same results folder."""
    monkeypatch.setenv("VAESCREEN_CACHE", str(ranked.cache))
    screening = ranked.arguments[1 : ranked.arguments.index("--predictor")]
    return ("score", *screening)


def test_score_at_a_recipe_gives_the_cards_that_rank_measured(ranked, run, arguments) -> None:
    scored = json.loads(run(*arguments, "--recipe", "compact", "--format", "json").stdout)
    rows = {row["candidate"]: row for row in json.loads(ranked.printed.stdout)["rows"]}
    assert len(scored["cards"]) == 2
    for card in scored["cards"]:
        assert card["summary"]["psnr"] == rows[card["candidate"]]["ae_ceiling"]
        assert card["summary"]["conv_probe_psnr"] == rows[card["candidate"]]["probe_psnr"]
    assert scored["failed"] == {}


def test_size_and_degradation_can_be_given_instead(run, arguments) -> None:
    same = (*arguments, "--size", "128", "--scale", "4", "--kernel", "lanczos")
    assert run(*same).stdout.startswith("mine: 2 real test images, 128x128 px, lanczos x4")


def test_a_degradation_can_be_said_in_one_word(run, arguments) -> None:
    assert run(*arguments, "--size", "128", "--degradation", "lanczos-x4").stdout.startswith(
        "mine: 2 real test images, 128x128 px, lanczos x4"
    )


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--scale", "3", "2, 4, 8"),
        ("--size", "100", "multiple of 8"),
        ("--degradation", "lanczos", "has no scale"),
        ("--degradation", "bicubic-x4-blurred", "'blurred' is unknown"),
    ],
)
def test_a_size_or_scale_that_does_not_fit_is_refused(run, arguments, option, value, hint) -> None:
    result = run(*arguments, option, value)
    assert result.exit_code == 1
    assert hint in result.stderr


def test_a_size_that_is_no_number_is_a_usage_error(run, arguments) -> None:
    result = run(*arguments, "--size", "large")
    assert result.exit_code == 2
    assert "native" in result.stderr
