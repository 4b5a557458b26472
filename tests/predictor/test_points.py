import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vaescreen.errors import ResultError
from vaescreen.predictor.points import TARGETS, card_features, load_points
from vaescreen.storage import read_json

CARD, REFERENCE = "scores/brain/ae-01.json", "reference/compact/brain/ae-01-seed0.json"


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = read_json(path)
    change(record)
    path.write_text(json.dumps(record))


def test_joins_by_candidate_and_data(results, simulate):
    points = load_points(results, "compact")
    simulated = {(point.candidate, point.data): point for point in simulate(3, ("brain", "chest"))}
    assert [(point.data, point.candidate) for point in points] == sorted(
        (data, candidate) for candidate, data in simulated
    )
    for point in points:
        expected = simulated[point.candidate, point.data]
        assert point.targets == expected.targets
        assert point.definition == expected.definition
        for name in ("ae_ceiling", "ridge_probe_psnr", "conv_probe_psnr", "bicubic_psnr", "ssim"):
            assert point.features[name] == expected.features[name]


def test_derived_features_by_hand(simulate, card):
    record = card(simulate(1)[0])
    record["geometry"] = {"channels": 16, "factor": 8}
    bands = {"band_LL3": 4e-4, "band_LH2": 1e-4, "band_LH1": 2e-4, "band_HL1": 2e-4, "band_HH1": 1e-4}
    record["summary"] = {k: v for k, v in record["summary"].items() if not k.startswith("band")} | bands
    features = card_features(record)
    assert features["log2_compression"] == 2  # 64 pixels to 16 values
    assert features["log10_finest_share"] == pytest.approx(-0.30103, abs=1e-5)  # 5 parts of 10


def test_features_that_know_nothing_of_the_level_of_the_data(simulate, card):
    record = card(simulate(1)[0])
    record["summary"] |= {"psnr": 35.0, "conv_probe_psnr": 25.0, "bicubic_psnr": 27.0}
    record["summary"] |= {"denoise_mean_psnr": 23.0, "denoise_sample_psnr": 21.5}
    features = card_features(record)
    assert features["ae_share"] == pytest.approx(0.1)
    names = ("latent_gap", "denoising_gap", "sampling_gap")
    assert [features[name] for name in names] == [10.0, 2.0, 1.5]
    assert "upsampling_gap" not in features


def test_a_sample_errs_by_what_the_mean_errs_and_by_its_spread(simulate, card):
    record = card(simulate(1)[0])
    record["summary"] |= {"conv_probe_psnr": 30.0, "spread_psnr": 30.0}
    assert card_features(record)["split_psnr"] == pytest.approx(30 - 3.0103, abs=1e-4)
    record["summary"]["spread_psnr"] = 60.0
    assert card_features(record)["split_psnr"] == pytest.approx(30, abs=0.01)


def test_every_number_of_the_summary_is_a_feature_but_times_and_bands(simulate, card):
    record = card(simulate(1)[0])
    record["summary"] |= {"roughness": 0.5, "encode_ms": 3.0, "flip_error": None, "shift_error": float("nan")}
    features = card_features(record)
    assert features["roughness"] == 0.5
    assert not {"encode_ms", "flip_error", "shift_error", "band_LH1", "psnr"} & features.keys()


def test_a_codec_without_error_has_features(simulate, card):
    record = card(simulate(1)[0])
    record["summary"] |= {key: 0.0 for key in record["summary"] if key.startswith("band")}
    assert card_features(record)["log10_finest_share"] == 0


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (CARD, lambda r: r.update(fingerprint="other"), "fingerprint of the autoencoder"),
        (CARD, lambda r: r["data"].update(fingerprint="other"), "fingerprint of the data"),
        (CARD, lambda r: r["view"].update(size=256), "256 pixels"),
        (CARD, lambda r: r["view"]["degradation"].update(kernel="area"), "area x4"),
        (
            CARD,
            lambda r: r["view"]["degradation"].update(kernel="bicubic", library="torch", antialias=False),
            "bicubic torch aliased x4",
        ),
        (CARD, lambda r: r["view"]["degradation"].update(kernel="blur"), "unknown degradation 'blur'"),
        (CARD, lambda r: r["view"]["degradation"].update(scale=2), "lanczos x2"),
        (CARD, lambda r: r.update(protocol="score-2"), "score-2"),
        (CARD, lambda r: r.update(candidate="ae-02"), "ae-02 on brain"),
        (CARD, lambda r: r["summary"].update(conv_probe_psnr=None), "conv_probe_psnr is None"),
        (CARD, lambda r: r["summary"].update(psnr=float("nan")), "psnr is nan"),
        (CARD, lambda r: r["summary"].pop("bicubic_psnr"), "summary.bicubic_psnr is missing"),
        (CARD, lambda r: r.pop("geometry"), "field geometry is missing"),
        (REFERENCE, lambda r: r["data"].update(name="chest"), "ae-01 on chest"),
        (REFERENCE, lambda r: r["recipe"].update(samples=10), "another recipe"),
        (REFERENCE, lambda r: r.update(protocol="reference-1"), "another protocol"),
        (REFERENCE, lambda r: r["summary"].pop("sr_psnr"), "summary.sr_psnr is missing"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_one_line(results, path, change, message):
    edit(results / path, change)
    with pytest.raises(ResultError, match=message) as caught:
        load_points(results, "compact")
    assert "\n" not in str(caught.value)
    assert "brain" in str(caught.value)


def test_a_point_without_score_card_names_the_command(results):
    (results / CARD).unlink()
    with pytest.raises(ResultError, match="vaescreen score ae-01 --data brain --recipe compact"):
        load_points(results, "compact")


def test_a_card_without_point_is_no_point(results):
    (results / REFERENCE).unlink()
    assert ("ae-01", "brain") not in {
        (point.candidate, point.data) for point in load_points(results, "compact")
    }


def test_no_points_at_all(results):
    with pytest.raises(ResultError, match="no reference points of recipe 'paper'"):
        load_points(results, "paper")


def test_targets_are_read_under_their_own_names(results):
    values = {name: 20.0 + index for index, name in enumerate(TARGETS)}
    edit(results / REFERENCE, lambda r: r["summary"].update(values))
    point = next(p for p in load_points(results, "compact") if (p.candidate, p.data) == ("ae-01", "brain"))
    assert point.targets == values


def test_seeds_are_averaged(results):
    one = read_json(results / REFERENCE)
    other = read_json(results / REFERENCE)
    other["summary"].update(sr_psnr=one["summary"]["sr_psnr"] + 1)
    (results / REFERENCE.replace("seed0", "seed1")).write_text(json.dumps(other))
    points = load_points(results, "compact")
    assert len(points) == 6
    point = next(p for p in points if (p.candidate, p.data) == ("ae-01", "brain"))
    assert point.targets["sr_psnr"] == pytest.approx(one["summary"]["sr_psnr"] + 0.5)
    assert point.targets["posterior_mean_psnr"] == pytest.approx(one["summary"]["posterior_mean_psnr"])


def test_features_do_not_depend_on_the_order_of_a_card(results):
    card = read_json(results / CARD)
    turned = card | {"summary": dict(reversed(card["summary"].items()))}
    assert card_features(turned) == card_features(card)
