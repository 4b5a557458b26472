import numpy as np
import pandas as pd
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from vaescreen.errors import CandidateError
from vaescreen.metrics.distribution import FEWEST_FOR_KID
from vaescreen.metrics.fidelity import HIGHEST_PSNR
from vaescreen.metrics.optional import Missing
from vaescreen.ranking.comparison.measurement import SHOWN, measure


def test_every_candidate_has_a_row_an_image_with_its_patient_and_scikit_images_psnr(
    measured, sources, make_data
):
    batches = list(make_data().batches("test", 5))
    for source in sources:
        table = measured.tables[source.name].set_index("image_id")
        assert len(table) == 18
        for batch in batches:
            made = source.make(batch).images
            for place, image_id in enumerate(batch.ids):
                expected = peak_signal_noise_ratio(
                    batch.images[place].double().numpy(), made[place].double().numpy(), data_range=1.0
                )
                assert table.loc[image_id, "psnr"] == pytest.approx(expected, abs=1e-9)
                assert table.loc[image_id, "patient_id"] == batch.patients[place]


def test_the_order_of_the_images_changes_nothing(measured, sources, make_data):
    again = measure(sources, make_data(reverse=True))
    for name, table in measured.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
        for powers, others in zip(measured.spectra[name], again.spectra[name], strict=True):
            torch.testing.assert_close(powers, others)
        for kind, values in measured.maps[name].items():
            torch.testing.assert_close(values, again.maps[name][kind])
    assert [shown.image_id for shown in measured.best] == [shown.image_id for shown in again.best]


def test_the_bands_of_every_image_add_up_to_its_error(measured):
    for table in measured.tables.values():
        for prefix in ("band_", "smooth_"):
            bands = [name for name in table if name.startswith(prefix) and "psnr" not in name]
            assert len(bands) == 10
            np.testing.assert_allclose(table[bands].sum(axis=1), table["mse"], rtol=1e-9)


def test_spectra_are_means_over_images_and_add_up_to_the_mean_error(measured):
    for name, table in measured.tables.items():
        assert float(measured.spectra[name].error.sum()) == pytest.approx(table["mse"].mean(), rel=1e-9)


def test_maps_say_how_often_a_pixel_was_marked(measured):
    for name, table in measured.tables.items():
        for kind, values in measured.maps[name].items():
            assert values.shape == (48, 48)
            assert float(values.mean()) == pytest.approx(table[kind].mean(), rel=1e-9)


def test_a_threshold_in_common_finds_more_wrong_with_the_worse_and_less_with_the_better(measured):
    means = {name: table["hallucinated_common"].mean() for name, table in measured.tables.items()}
    assert means["good"] < 0.001
    assert means["bad"] > 0.02


def test_extremes_are_the_images_with_the_largest_and_smallest_difference(measured):
    gaps = (
        measured.tables["good"].set_index("image_id")["psnr"]
        - measured.tables["bad"].set_index("image_id")["psnr"]
    )
    ordered = gaps.sort_values(ascending=False).index.tolist()
    assert [shown.image_id for shown in measured.best] == ordered[:SHOWN]
    assert [shown.image_id for shown in measured.worst] == ordered[::-1][:SHOWN]
    shown = measured.best[0]
    error = float((shown.made["good"] - shown.truth).double().square().mean())
    assert shown.psnr["good"] == pytest.approx(-10 * np.log10(error), abs=1e-6)


def test_identical_images_have_the_highest_psnr_that_is_counted(flawed, make_data):
    table = measure([flawed("same", lambda images: images)], make_data()).tables["same"]
    assert (table["psnr"] == HIGHEST_PSNR).all()
    assert (table["haar_psnr_HH1"] == HIGHEST_PSNR).all()
    assert (table["published_HH1"] == HIGHEST_PSNR).all()


def test_output_that_is_not_finite_is_an_error_that_names_the_candidate(flawed, make_data):
    with pytest.raises(CandidateError, match="broken: gives images that are not finite"):
        measure([flawed("broken", lambda images: images * torch.nan)], make_data())


def test_optional_metrics_become_columns_and_missing_ones_are_handed_on(flawed, make_data):
    reason = Missing("lpips_alex", "no weights")
    found = measure(
        [flawed("good", lambda images: images * 0.9)],
        make_data(),
        optional={"embedding_mean": lambda a, b: (a - b).mean(dim=(1, 2, 3)).double()},
        missing=(reason,),
    )
    table = found.tables["good"]
    expected = table["reference_mean"] - table["estimate_mean"]
    np.testing.assert_allclose(table["embedding_mean"], expected, atol=1e-6)
    assert found.missing == (reason,)


def test_distances_are_refused_for_so_few_images_with_the_number_needed(flawed, make_data):
    found = measure(
        [flawed("good", lambda images: images * 0.9)],
        make_data(),
        features=lambda images: images.flatten(start_dim=1)[:, :4],
    )
    assert isinstance(found.distances["good"]["kid"], Missing)
    assert str(FEWEST_FOR_KID) in found.distances["good"]["kid"].reason


class TestMixedSizes:
    @pytest.fixture
    def mixed(self, sources, make_data):
        return measure(sources[:2], make_data(mixed=True))

    def test_every_image_is_scored_at_its_own_size(self, mixed, sources, make_data):
        table = mixed.tables["bad"].set_index("image_id")
        seen = set()
        for batch in make_data(mixed=True).batches("test", 1):
            made = sources[1].make(batch).images
            expected = peak_signal_noise_ratio(
                batch.images.double().numpy(), made.double().numpy(), data_range=1.0
            )
            assert table.loc[batch.ids[0], "psnr"] == pytest.approx(expected, abs=1e-9)
            seen.add(batch.images.shape)
        assert len(seen) == 3
        assert len(table) == 18

    def test_maps_are_missing_with_a_reason(self, mixed):
        assert mixed.maps == {}
        assert [str(each) for each in mixed.missing] == [
            "map of hallucinated pixels is missing: the images have 3 sizes"
        ]

    def test_spectra_are_of_the_images_with_the_most_annuli(self, mixed):
        """Those of 17 pixels a side have 8 where the others have 32."""
        for name, table in mixed.tables.items():
            large = table[~table["image_id"].str.endswith("1")]
            assert len(mixed.spectra[name].frequencies) == 34
            assert float(mixed.spectra[name].error.sum()) == pytest.approx(large["mse"].mean(), rel=1e-9)

    def test_the_order_of_sizes_changes_nothing(self, mixed, sources, make_data):
        again = measure(sources[:2], make_data(reverse=True, mixed=True))
        torch.testing.assert_close(again.spectra["good"].error, mixed.spectra["good"].error)
        pd.testing.assert_frame_equal(again.tables["good"], mixed.tables["good"])
