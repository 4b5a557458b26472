import json
import math

import pytest

from vaescreen.predictor.fitted import Prediction
from vaescreen.ranking.columns import COLUMNS, number
from vaescreen.ranking.table import Row, build_rows, rank_payload, title
from vaescreen.ranking.verdict import blur_verdict


def prediction(value, low=None, high=None, extrapolation=False):
    return Prediction(
        value, low or value - 0.5, high or value + 0.5, extrapolation, "odd" if extrapolation else ""
    )


def order(rows):
    return [(row.rank, row.candidate) for row in rows]


def test_without_predictions_the_probe_ranks_and_the_floor_stands_by_its_own_psnr(simulated):
    cards = simulated.cards("chest")
    probes = {card["candidate"]: card["summary"]["conv_probe_psnr"] for card in cards}
    floor = cards[0]["summary"]["bicubic_psnr"]
    expected = sorted([*probes, "bicubic"], key=lambda name: -(probes | {"bicubic": floor})[name])
    rows = build_rows(cards)
    assert [row.candidate for row in rows] == expected
    assert [row.rank for row in rows if not row.floor] == [1, 2, 3, 4, 5]
    assert 0 < expected.index("bicubic") < 5
    (bicubic,) = [row for row in rows if row.floor]
    assert (bicubic.rank, bicubic.sr_psnr, bicubic.ae_ceiling) == (None, floor, None)


def test_predictions_rank_against_the_order_of_the_probe(simulated):
    cards = simulated.cards("chest")
    by_probe = [row.candidate for row in build_rows(cards) if not row.floor]
    predictions = {name: prediction(20.0 + place) for place, name in enumerate(by_probe)}
    rows = build_rows(cards, forecast={"sr_psnr": predictions})
    assert order(rows)[0] == (None, "bicubic")
    assert [row.candidate for row in rows[1:]] == by_probe[::-1]


def test_predictions_that_cannot_be_told_apart_share_a_rank(simulated):
    cards = simulated.cards("chest")
    names = [card["candidate"] for card in cards]
    values = dict(zip(names, (25.0, 24.7, 24.45, 24.2, 22.0), strict=True))
    predictions = {name: prediction(value) for name, value in values.items()}
    rows = build_rows(cards, forecast={"sr_psnr": predictions}, indistinguishable=0.5)
    assert [row.rank for row in rows if not row.floor] == [1, 1, 3, 3, 5]
    rows = build_rows(cards, forecast={"sr_psnr": predictions})
    assert [row.rank for row in rows if not row.floor] == [1, 2, 3, 4, 5]


def forecast(**values: tuple[float, float, float]) -> dict[str, dict[str, Prediction]]:
    """SR PSNR, posterior mean and detail predicted of each candidate, by target."""
    targets = ("sr_psnr", "posterior_mean_psnr", "detail")
    return {
        target: {name.replace("_", "-"): prediction(each[place]) for name, each in values.items()}
        for place, target in enumerate(targets)
    }


THREE = {
    "medical_sim_f4c4": (25.0, 28.0, -1.0),
    "generic_sim_f4c4": (26.0, 27.0, -3.0),
    "pca_sim_f4c4": (24.0, 26.5, 0.5),
    "medical_sim_f8c4": (25.5, 26.9, -3.5),
    "pca_sim_f8c4": (24.5, 26.0, 1.2),
}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            "sr_psnr",
            ["generic-sim-f4c4", "medical-sim-f8c4", "medical-sim-f4c4", "pca-sim-f8c4", "pca-sim-f4c4"],
        ),
        (
            "posterior_mean_psnr",
            ["medical-sim-f4c4", "generic-sim-f4c4", "medical-sim-f8c4", "pca-sim-f4c4", "pca-sim-f8c4"],
        ),
        (
            "detail",
            ["pca-sim-f4c4", "medical-sim-f4c4", "pca-sim-f8c4", "generic-sim-f4c4", "medical-sim-f8c4"],
        ),
    ],
)
def test_any_target_ranks_and_of_detail_the_nearest_to_the_truth_is_best(simulated, by, expected):
    cards = simulated.cards("chest")
    rows = build_rows(cards, forecast=forecast(**THREE), by=by)
    assert [row.candidate for row in rows if not row.floor] == expected
    named = {
        "sr_psnr": "SR PSNR predicted",
        "posterior_mean_psnr": "one-step output predicted",
        "detail": "detail kept",
    }
    assert named[by] in title(cards, rows, "compact", by)


def test_who_is_not_dominated(simulated):
    """f8 of medical is worse than generic f4 in all three; the others each lead somewhere."""
    rows = build_rows(simulated.cards("chest"), forecast=forecast(**THREE))
    assert {row.candidate for row in rows if row.undominated} == {
        "medical-sim-f4c4",
        "generic-sim-f4c4",
        "pca-sim-f4c4",
    }
    assert not any(row.undominated for row in build_rows(simulated.cards("chest")))


def test_a_sentence_says_when_psnr_prefers_blur(simulated):
    cards = simulated.cards("chest")
    said = blur_verdict(build_rows(cards, forecast=forecast(**THREE)))
    assert said is not None
    assert "prefers blur" in said
    assert "generic-sim-f4c4 leads by 1.00 dB" in said
    assert "medical-sim-f4c4 keeps 2.00 dB more detail and is 1.00 dB better" in said
    one = THREE | {"medical_sim_f4c4": (27.0, 28.0, -1.0)}
    said = blur_verdict(build_rows(cards, forecast=forecast(**one)))
    assert said == "medical-sim-f4c4 is predicted best both in a sample's SR PSNR and in the one-step output."
    alike = THREE | {"medical_sim_f4c4": (25.0, 28.0, -3.0)}
    assert "neither keeps more detail" in str(blur_verdict(build_rows(cards, forecast=forecast(**alike))))
    assert blur_verdict(build_rows(cards)) is None


def test_longer_training_favours_whom_the_ceiling_leaves_more_room():
    """Of two, the one that leads in a sample's PSNR is nearly at its reconstruction limit."""

    def row(name: str, sample: float, mean: float, detail: float, ceiling: float | None) -> Row:
        return Row(
            name,
            predicted_sr_psnr=sample,
            predicted_posterior_mean_psnr=mean,
            predicted_detail=detail,
            ae_ceiling=ceiling,
        )

    blurred = row("blurred", 31.8, 31.9, -4.0, 32.1)
    rich = row("rich", 30.9, 32.3, -2.1, 42.6)
    said = str(blur_verdict([blurred, rich]))
    assert said.endswith(
        " Longer training favours rich: its reconstruction leaves 10.30 dB of room above that output, blurred's "
        "0.20 dB."
    )
    near = row("near", 30.9, 32.3, -2.1, 33.0)
    assert "Longer training" not in str(blur_verdict([blurred, near]))
    unknown = row("unknown", 30.9, 32.3, -2.1, None)
    assert "Longer training" not in str(blur_verdict([blurred, unknown]))


def test_a_candidate_without_prediction_stands_last_without_rank(simulated):
    cards = simulated.cards("chest")
    predictions = {card["candidate"]: prediction(20.0) for card in cards[1:]}
    rows = build_rows(cards, forecast={"sr_psnr": predictions})
    assert order(rows)[-1] == (None, cards[0]["candidate"])
    assert [row.candidate for row in rows[1:-1]] == sorted(predictions)  # equal values: by name


def test_what_a_row_holds(simulated):
    card = simulated.card("chest", "medical-sim-f8c4")
    predictions = {"medical-sim-f8c4": prediction(25.5, 25.0, 26.5, extrapolation=True)}
    posterior_means = {"medical-sim-f8c4": prediction(26.5, 26.0, 27.0)}
    detail = {"medical-sim-f8c4": prediction(-2.5, -3.0, -2.0)}
    rows = build_rows(
        [card],
        {"medical-sim-f8c4": {"sr_psnr": 25.9}},
        {"sr_psnr": predictions, "posterior_mean_psnr": posterior_means, "detail": detail},
        p_best={"medical-sim-f8c4": 0.25},
    )
    (row,) = [row for row in rows if not row.floor]
    summary = card["summary"]
    assert row.as_json() == {
        "candidate": "medical-sim-f8c4",
        "rank": 1,
        "floor": False,
        "geometry": {"channels": 4, "factor": 8},
        "domain": "medical",
        "predicted_sr_psnr": 25.5,
        "interval": [25.0, 26.5],
        "extrapolation": True,
        "extrapolation_reason": "odd",
        "novelty": "candidate",
        "p_best": 0.25,
        "predicted_posterior_mean_psnr": 26.5,
        "posterior_mean_interval": [26.0, 27.0],
        "predicted_detail": -2.5,
        "detail_interval": [-3.0, -2.0],
        "undominated": True,
        "sr_psnr": 25.9,
        "sr_rank": None,
        "sr_rank_interval": None,
        "sr_p_best": None,
        "ae_ceiling": 28.0,
        "ae_ceiling_foreground": 27.0,
        "ssim": summary["ssim"],
        "probe_psnr": summary["conv_probe_psnr"],
        "ridge_probe_psnr": summary["ridge_probe_psnr"],
        "ms_per_image": 3.75,
        "latent_values": 4 * 16 * 16,
        "compression": 16.0,
    }


def test_native_size_has_no_number_of_latent_values(simulated):
    card = simulated.card("chest", "pca-sim-f4c4")
    card["view"]["size"] = None
    row = next(row for row in build_rows([card]) if not row.floor)
    assert row.latent_values is None
    assert "native size" in title([card], [row], None)


def test_an_unbounded_interval_is_absent(simulated):
    card = simulated.card("chest", "pca-sim-f4c4")
    unbounded = Prediction(25.0, -math.inf, math.inf, False, "")
    row = next(
        r for r in build_rows([card], forecast={"sr_psnr": {"pca-sim-f4c4": unbounded}}) if not r.floor
    )
    assert row.interval is None
    assert COLUMNS["90 % interval"](row) == "—"


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        ("chest", "chest: 6 REAL images of 3 patients, 128x128 px, lanczos x4"),
        ("brain", "brain: 6 REAL images in 3 groups (runs of like slices, not patients), 128x128 px"),
        ("natural", "natural: 6 REAL images, 128x128 px"),
        ("chest-phantom", "chest-phantom: 6 GENERATED PHANTOMS (no real images), 128x128 px"),
    ],
)
def test_the_title_says_what_the_images_are(simulated, data, phrase):
    cards = simulated.cards(data)
    assert title(cards, build_rows(cards), "compact").startswith(phrase)


def test_the_title_says_what_ranks(simulated):
    cards = simulated.cards("chest")
    assert title(cards, build_rows(cards), "compact").endswith(
        "ranked by convolutional probe PSNR (no predictor for compact)"
    )
    rows = build_rows(cards, forecast={"sr_psnr": {cards[0]["candidate"]: prediction(20.0)}})
    assert title(cards, rows, "compact").endswith("ranked by SR PSNR predicted for recipe compact")


def test_a_folder_without_patients_does_not_claim_any(simulated):
    card = simulated.card("chest", "pca-sim-f4c4")
    card["data"] |= {"name": "own", "description": {"patient_rule": "every image is its own patient"}}
    assert "6 REAL images (patients unknown, each image counted as one)" in title([card], [], None)
    card["data"]["description"] = {"patient_rule": "manifest.csv"}
    assert "6 REAL images of 3 patients" in title([card], [], None)


def test_the_payload_is_strict_json_with_the_keys_of_the_design(simulated):
    cards = simulated.cards("chest")
    rows = build_rows(cards)
    missing, skipped = [{"candidate": "big", "command": "pull"}], [{"path": "a.png", "reason": "damaged"}]
    payload = json.loads(json.dumps(rank_payload(cards, rows, "compact", missing, skipped), allow_nan=False))
    assert list(payload) == ["title", "data", "recipe", "by", "protocol", "rows", "missing", "skipped"]
    assert payload["data"]["kind"] == "real"
    assert payload["data"]["counts"]["test_images"] == 6
    assert (payload["recipe"], payload["protocol"]) == ("compact", "score-3")
    assert len(payload["rows"]) == len(cards) + 1
    assert (payload["missing"], payload["skipped"]) == (missing, skipped)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (1.005001, False, "1.01"),
        (-0.001, False, "0.00"),
        (0.004, True, "0.00"),
        (2.5, True, "+2.50"),
        (-2.5, True, "-2.50"),
        (None, False, "—"),
        (math.nan, False, "—"),
        (math.inf, False, "—"),
    ],
)
def test_numbers_as_text(value, signed, text):
    assert number(value, signed=signed) == text


def test_baselines_stand_unranked_where_their_psnr_puts_them(simulated):
    cards = simulated.cards("chest")
    first, second = build_rows(cards)[:2]
    between = ((first.probe_psnr or first.sr_psnr) + (second.probe_psnr or second.sr_psnr)) / 2
    rows = build_rows(cards, baselines={"regression-pixels": between, "bicubic": 1.0})
    assert [row.candidate for row in rows if row.candidate != "regression-pixels"] == [
        row.candidate for row in build_rows(cards)
    ]
    assert (rows[1].candidate, rows[1].rank, rows[1].sr_psnr) == ("regression-pixels", None, between)
    assert [row.rank for row in rows if not row.floor] == [1, 2, 3, 4, 5]
    assert COLUMNS["candidate"](rows[1]) == "regression-pixels (baseline)"
    (floor,) = [row for row in rows if row.candidate == "bicubic"]
    assert floor.sr_psnr == cards[0]["summary"]["bicubic_psnr"]
