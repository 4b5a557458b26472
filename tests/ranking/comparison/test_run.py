import json

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio
from small import write_pictures, write_registry

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.ranking.comparison import compare
from vaescreen.reports.comparison.report import headers, notes, payload, records, rows, title, verdict
from vaescreen.superres.outputs import OutputsWriter

PATTERN = r"picture-(\d)"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Forty pictures of four patients, ten each, and a registry of codecs."""
    folder = tmp_path_factory.mktemp("compared")
    write_pictures(folder / "pictures", 40, 48)
    write_registry(folder)
    return folder


@pytest.fixture(scope="module")
def two(place, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return compare(
            ["dct-f16c4", "haar-f16c4"],
            place / "pictures",
            size=48,
            registry=place / "registry.yaml",
            device="cpu",
        )


@pytest.fixture
def saved(place, tmp_path):
    """Files of outputs of two candidates: true images with a little noise, and with more."""
    data = open_data(place / "pictures", size=48)
    files = {}
    for name, sd in (("near", 0.01), ("far", 0.05)):
        writer = OutputsWriter()
        for batch in data.batches("test", 3):
            noise = torch.randn(batch.images.shape, generator=torch.Generator().manual_seed(1))
            sr = (batch.images + sd * noise).clamp(0, 1)
            writer.add(batch.ids, batch.patients, (batch.images + 0.01).clamp(0, 1), sr[:, None])
        files[name] = tmp_path / f"{name}.outputs.npz"
        writer.write(files[name])
    return files


def test_reconstructions_of_two_codecs_give_a_table_a_verdict_and_a_gap(two):
    assert title(two).startswith("pictures: dct-f16c4 against haar-f16c4, reconstructions of ")
    assert headers(two)[:3] == ["metric", "dct-f16c4", "haar-f16c4"]
    assert [row[0] for row in rows(two)][:3] == ["PSNR (dB)", "foreground PSNR (dB)", "SSIM"]
    assert verdict(two).count(".") >= 1
    assert verdict(two).endswith(".")
    assert two.decomposition is not None
    assert list(two.decomposition.parts) == ["family"]


def test_psnr_is_that_of_scikit_image_of_the_codecs_own_images(two, place):
    from vaescreen.autoencoders import open_autoencoder
    from vaescreen.registry.catalogue import Registry

    data = open_data(place / "pictures", size=48)
    codec = open_autoencoder(Registry.load(place / "registry.yaml").candidate("dct-f16c4"), data)
    batch = next(data.batches("test", 2))
    made = codec.decode(codec.encode(batch.images), (48, 48)).double().numpy()
    table = two.measured.tables["dct-f16c4"].set_index("image_id")
    for number, image_id in enumerate(batch.ids):
        expected = peak_signal_noise_ratio(
            batch.images[number].double().numpy(), made[number], data_range=1.0
        )
        assert table.loc[image_id, "psnr"] == pytest.approx(expected, abs=1e-6)


def test_everything_is_json_and_flat_rows_hold_every_metric(two):
    found = json.loads(json.dumps(payload(two), allow_nan=False))
    assert found["verdict"] == verdict(two)
    assert found["metrics"]["psnr"]["pairs"][0]["first"] == "dct-f16c4"
    assert sum(found["band_shares"]["sym4"]["dct-f16c4"].values()) == pytest.approx(1)
    assert len(found["spectra"]["haar-f16c4"]["error"]) == len(found["spectra"]["haar-f16c4"]["frequencies"])
    assert {record["metric"] for record in records(two)} == set(found["metrics"])


def test_what_is_missing_is_said_in_the_notes(two):
    if two.analysis.missing:
        for each in two.analysis.missing:
            assert str(each) in list(notes(two))
    else:
        assert "lpips_alex" in two.analysis.metrics


def test_saved_outputs_are_compared_with_hallucination_by_their_own_reconstructions(saved, place):
    found = compare(list(saved), place / "pictures", outputs=list(saved.values()), lpips=False)
    assert found.what == "SR outputs"
    assert found.data.size == 48
    assert found.decomposition is None
    assert verdict(found).startswith("near beats far by 1")
    means = found.analysis.metrics["hallucinated_own"].means
    assert means["far"] > 0.3 > means["near"]


def test_three_candidates_are_compared_in_pairs_and_ranked(place):
    names = ["dct-f16c4", "haar-f16c4", "pca-f16c4"]
    found = compare(names, place / "pictures", size=48, registry=place / "registry.yaml", lpips=False)
    assert [row[0] for row in rows(found) if row[1] == "PSNR (dB)"] == [
        "dct-f16c4 − haar-f16c4",
        "dct-f16c4 − pca-f16c4",
        "haar-f16c4 − pca-f16c4",
    ]
    assert "share the first rank" in verdict(found) or "is told apart" in verdict(found)


def test_one_candidate_twice_or_a_margin_of_nothing_is_refused(place):
    for names in (["dct-f16c4"], ["dct-f16c4", "dct-f16c4"]):
        with pytest.raises(DataError, match="at least two candidates"):
            compare(names, place / "pictures", registry=place / "registry.yaml")
    with pytest.raises(DataError, match="leaves no room"):
        compare(["dct-f16c4", "haar-f16c4"], place / "pictures", registry=place / "registry.yaml", margin=0)


def test_as_many_files_of_outputs_as_candidates_are_wanted(saved, place):
    with pytest.raises(DataError, match="1 files of outputs for 2 candidates"):
        compare(list(saved), place / "pictures", outputs=[saved["near"]])


def test_images_of_several_sizes_are_compared_each_at_its_own(place, tmp_path, monkeypatch):
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    folder = write_pictures(tmp_path / "mixed", 20, 70)
    for number in range(0, 20, 2):
        file = folder / f"picture-{number:02}.png"
        Image.fromarray(np.asarray(Image.open(file))[:67, 2:35]).save(file)
    report = compare(
        ["dct-f16c4", "haar-f16c4"], folder, size=None, registry=place / "registry.yaml", device="cpu"
    )
    assert title(report).endswith("native size")
    assert "map of hallucinated pixels is missing" in "\n".join(notes(report))
    assert json.dumps(payload(report), allow_nan=False)
