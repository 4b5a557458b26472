import re

import pandas as pd
import pytest

from vaescreen.errors import ResultError
from vaescreen.ranking.results import read_results


def set_summary(name, value):
    def change(record, frame):
        record["summary"][name] = value

    return change


def set_column(name, values):
    def change(record, frame):
        frame[name] = values
        record["summary"][name] = float(frame[name].mean())

    return change


def test_reads_what_is_there(simulated):
    results = read_results(simulated.folder)
    assert set(results.cards) == {"chest", "brain", "natural", "chest-phantom"}
    assert set(results.references) == {"compact"}
    assert set(results.references["compact"]) == {"chest", "brain", "natural"}
    assert len(results.cards["chest"]) == 5
    assert len(results.cards["chest"]["pca-sim-f4c4"].images) == 6


def test_a_folder_without_score_cards(tmp_path):
    with pytest.raises(ResultError, match="no score cards under"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, f: r.update(protocol="score-9"), "protocol: input should be 'score-1'"),
        (lambda r, f: r.pop("view"), "view: field required"),
        (lambda r, f: r["geometry"].update(factor=0), "geometry.factor: .*greater than 0"),
        (lambda r, f: r["data"].update(kind="drawn"), "data.kind: "),
        (lambda r, f: r.update(candidate="other"), "it is of other on chest, not where it belongs"),
        (set_summary("psnr", float("nan")), "summary.psnr: .*finite"),
        (set_summary("conv_probe_psnr", "high"), "summary.conv_probe_psnr: "),
        (set_summary("psnr", 31.0), "psnr is 31.0000 in its summary, but the images' mean is 30.0000"),
        (set_summary("encode_ms", -1.0), "encode_ms is -1.0 in its summary, which is impossible"),
        (lambda r, f: f.drop(columns="psnr"), "no column psnr"),
        (lambda r, f: f.iloc[1:], "has 5 test images, not 6"),
        (lambda r, f: f.assign(patient_id="one"), "has 1 test patients, not 3"),
        (lambda r, f: f.assign(image_id="twin"), "image twin is in it twice"),
        (set_column("psnr", [30.0, 30.0, 30.0, 30.0, 30.0, 300.0]), "psnr of image image-5 is 300.0"),
        (set_column("ssim", [0.5, 1.5, 0.5, 0.5, 0.5, 0.5]), "ssim of image image-1 is 1.5"),
        (lambda r, f: f.assign(ms_ssim=float("nan")), "ms_ssim of image image-0 is nan"),
        (lambda r, f: r["data"].update(fingerprint="0123456789"), "the fingerprints differ"),
        (lambda r, f: r["view"].update(size=256), "it is of size 256, lanczos x4"),
        (
            lambda r, f: f.replace({"image_id": {"image-3": "image-9"}}),
            "image image-3 is in only one of it and",
        ),
        (set_column("bicubic_psnr", 20.0), "its bicubic PSNR is 20.0000, that of"),
    ],
)
def test_a_damaged_score_card_is_refused_in_one_line(simulated, change, message):
    simulated.edit(simulated.card_path("chest", "pca-sim-f4c4"), _table_or_none(change))
    with pytest.raises(ResultError) as caught:
        read_results(simulated.folder)
    assert re.search(message, str(caught.value))
    assert "scores/chest/" in str(caught.value)
    assert "\n" not in str(caught.value)


def _table_or_none(change):
    def apply(record, frame):
        result = change(record, frame)
        return result if isinstance(result, pd.DataFrame) else None

    return apply


def test_a_missing_and_a_broken_table(simulated):
    table = simulated.card_path("chest", "pca-sim-f4c4").with_suffix(".parquet")
    table.write_bytes(b"not parquet")
    with pytest.raises(ResultError, match="cannot be read"):
        read_results(simulated.folder)
    table.unlink()
    with pytest.raises(ResultError, match=r"no per-image values pca-sim-f4c4\.parquet beside it"):
        read_results(simulated.folder)


def test_a_reference_point_of_other_images_is_refused(simulated):
    path = simulated.reference_path("brain", "pca-sim-f4c4")
    simulated.edit(path, lambda record, frame: record["data"].update(fingerprint="0123456789"))
    with pytest.raises(
        ResultError, match=r"reference/compact/brain/pca-sim-f4c4-seed0\.json: its images are not those"
    ):
        read_results(simulated.folder)


def give_values_of(simulated, source, target):
    values = pd.read_parquet(simulated.card_path("chest", source).with_suffix(".parquet"))["psnr"]
    simulated.edit(simulated.card_path("chest", target), set_column("psnr", values))


def test_two_candidates_with_the_same_values_are_refused(simulated):
    give_values_of(simulated, "generic-sim-f4c4", "medical-sim-f4c4")
    with pytest.raises(ResultError, match=r"exactly those of scores/chest/generic-sim-f4c4\.json"):
        read_results(simulated.folder)


def test_two_linear_codecs_may_have_the_same_values(simulated):
    give_values_of(simulated, "pca-sim-f4c4", "pca-sim-f8c4")
    read_results(simulated.folder)


def test_a_reference_point_under_the_name_of_another_seed_is_refused(simulated):
    path = simulated.reference_path("brain", "pca-sim-f4c4")
    simulated.edit(path, lambda record, frame: record.update(seed=3))
    with pytest.raises(ResultError, match="it is of seed 3, not where it belongs"):
        read_results(simulated.folder)
