import numpy as np
import pytest
from scipy import stats

from vaescreen.metrics.agreement import Agreement
from vaescreen.ranking.comparison.analysis import BANDS, QUANTITIES, analyse
from vaescreen.ranking.comparison.measurement import Measured


@pytest.fixture(scope="module")
def analysis(measured):
    return analyse(measured, draws=300)


def test_every_metric_is_tested_for_every_pair_with_the_first_less_the_second(analysis, measured):
    assert set(analysis.metrics) == set(QUANTITIES)
    for metric, result in analysis.metrics.items():
        assert [(pair.first, pair.second) for pair in result.pairs] == [
            ("good", "bad"),
            ("good", "blurred"),
            ("bad", "blurred"),
        ]
        table = measured.column(metric)
        for pair in result.pairs:
            expected = (table[pair.first] - table[pair.second]).mean()
            assert pair.difference.value == pytest.approx(expected, rel=1e-9, abs=1e-12)
            assert pair.difference.low <= pair.difference.value <= pair.difference.high


def test_p_is_of_patients_and_not_of_images(analysis, measured):
    table = measured.column("ssim").assign(patient=measured.images["patient_id"])
    means = table.groupby("patient").mean()
    pair = analysis.metrics["ssim"].pairs[0]
    assert pair.patients == 6
    assert pair.images == 18
    assert pair.t.p == pytest.approx(stats.ttest_rel(means["good"], means["bad"]).pvalue, rel=1e-6)
    assert pair.wilcoxon_images.p == pytest.approx(stats.wilcoxon(table["good"], table["bad"]).pvalue)


def test_p_values_are_corrected_for_the_three_pairs(analysis):
    pairs = analysis.metrics["psnr"].pairs
    assert min(pair.t.p for pair in pairs) * 3 == pytest.approx(min(pair.p_holm for pair in pairs))


def test_ranks_follow_the_direction_of_each_metric(analysis):
    assert analysis.metrics["psnr"].standings[0].candidate == "good"
    assert analysis.metrics["nrmse"].standings[0].candidate == "good"
    assert analysis.metrics["hallucinated_common"].standings[0].candidate == "good"


def test_equivalence_is_tested_where_the_margin_has_the_unit_of_the_metric(analysis, measured):
    assert analysis.metrics["ssim"].pairs[0].equivalence is None
    assert not analysis.metrics["psnr"].pairs[0].equivalence.equivalent
    wide = analyse(measured, margin=40.0, draws=300)
    assert wide.metrics["psnr"].pairs[0].equivalence.equivalent
    assert wide.power[0].for_difference < analysis.power[0].for_difference


def test_shares_have_cohens_h_by_hand(analysis, measured):
    table = measured.column("lost_common")
    a, b = table["good"].mean(), table["bad"].mean()
    expected = 2 * np.arcsin(np.sqrt(a)) - 2 * np.arcsin(np.sqrt(b))
    assert analysis.metrics["lost_common"].cohens_h[0].value == pytest.approx(expected, rel=1e-9)
    assert analysis.metrics["psnr"].cohens_h == ()


def test_pooled_psnr_is_of_the_mean_error_and_not_the_mean_of_psnr(analysis, measured):
    for name, table in measured.tables.items():
        assert analysis.pooled_psnr[name] == pytest.approx(-10 * np.log10(table["mse"].mean()), abs=1e-9)
        assert analysis.pooled_psnr[name] < table["psnr"].mean()


def test_agreement_is_of_patient_means(analysis, measured):
    table = measured.tables["bad"]
    by_patient = table.groupby("patient_id")[["reference_mean", "estimate_mean"]].mean()
    found = analysis.agreement["bad"]
    assert isinstance(found, Agreement)
    assert found.patients == 6
    difference = by_patient["estimate_mean"] - by_patient["reference_mean"]
    assert found.bias == pytest.approx(difference.mean(), abs=1e-12)


def test_blur_loses_the_fine_bands_and_noise_does_not(analysis):
    means = {band: analysis.metrics[f"smooth_psnr_{band}"].means for band in BANDS}
    assert means["LL3"]["blurred"] > means["HH1"]["blurred"]
    assert analysis.metrics["half_power_frequency"].means["blurred"] < 0.3
    assert analysis.metrics["half_power_frequency"].means["good"] == 0.5


def test_a_metric_without_a_finite_value_is_missing_with_the_image_named(measured):
    tables = {name: table.copy() for name, table in measured.tables.items()}
    tables["bad"].loc[4, "published_HH1"] = -np.inf
    spoilt = Measured(tables, measured.spectra, measured.maps, {}, [], [])
    found = analyse(spoilt, draws=100)
    assert "published_HH1" not in found.metrics
    assert [str(each) for each in found.missing] == [
        "published_HH1 is missing: 1 of 18 images have no finite value, test-11 for one"
    ]


def test_one_patient_is_measured_and_not_tested(measured):
    tables = {name: table.iloc[:3] for name, table in measured.tables.items()}
    found = analyse(Measured(tables, measured.spectra, measured.maps, {}, [], []), draws=100)
    assert found.metrics["psnr"].means["good"] == pytest.approx(tables["good"]["psnr"].mean())
    assert all(result.pairs == result.standings == () for result in found.metrics.values())
