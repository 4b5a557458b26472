"""Ranking through the Python API, on small pictures and training-free codecs."""

from dataclasses import replace
from pathlib import Path

import pytest
from small import CODECS, write_pictures, write_predictor, write_registry

import vaescreen
from vaescreen.errors import CandidateError, RegistryError
from vaescreen.execution import Machine
from vaescreen.images import DataOptions
from vaescreen.ranking.rank import Missing, Ranking
from vaescreen.ranking.scoring import Workplace


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = {"far": "{hub: nobody/nothing, revision: main}", "gone": "{path: nowhere}"}
    return write_registry(tmp_path_factory.mktemp("registry"), **sources)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def ranking(registry: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Ranking:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        names = (*CODECS, "impossible", "far", "gone", "kl-f4")
        predictor = write_predictor(tmp_path_factory.mktemp("predictor"))
        return vaescreen.rank(
            pictures, names, at=Workplace(registry, machine=Machine(1)), predictor=predictor
        )


def test_all_candidates_on_this_machine_are_ranked_best_first(ranking: Ranking) -> None:
    ranked = [row for row in ranking.rows if not row.floor]
    assert {row.candidate for row in ranked} == set(CODECS)
    scores = [row.predicted_sr_psnr if ranking.predictor else row.probe_psnr for row in ranked]
    assert scores == sorted(scores, reverse=True)


def test_predictions_that_cannot_be_told_apart_share_a_rank(ranking: Ranking) -> None:
    assert ranking.predictor is not None
    margin = ranking.predictor.indistinguishable(ranking.cards)
    assert margin is not None
    ranked = [row for row in ranking.rows if not row.floor]
    for place, row in enumerate(ranked, start=1):
        assert row.rank is not None
        first = ranked[row.rank - 1]
        assert first.rank == row.rank <= place
        assert first.predicted_sr_psnr - row.predicted_sr_psnr <= margin
        if row.rank == place > 1:
            above = ranked[ranked[place - 2].rank - 1]
            assert above.predicted_sr_psnr - row.predicted_sr_psnr > margin


def test_pca_fitted_on_the_data_keeps_more_of_it_than_a_fixed_basis(ranking: Ranking) -> None:
    ceiling = {row.candidate: row.ae_ceiling for row in ranking.rows}
    assert ceiling["pca-f16c4"] > ceiling["dct-f16c4"] > 15


def test_the_floor_is_one_row_without_a_rank(ranking: Ranking) -> None:
    (floor,) = (row for row in ranking.rows if row.floor)
    assert (floor.candidate, floor.rank) == ("bicubic", None)
    assert floor.sr_psnr == pytest.approx(ranking.cards[0]["summary"]["bicubic_psnr"])


def test_score_cards_are_of_the_recipes_size_and_degradation(ranking: Ranking) -> None:
    from vaescreen.superres.recipes import COMPACT

    assert {card["view"]["size"] for card in ranking.cards} == {COMPACT.size}
    assert {card["view"]["degradation"]["kernel"] for card in ranking.cards} == {COMPACT.degradation.kernel}


def test_what_is_not_on_this_machine_is_missing_with_the_command_that_fetches_it(ranking: Ranking) -> None:
    assert ranking.missing == (
        Missing("far", 335.0, "vaescreen registry pull far"),
        Missing("gone", 335.0, None),
        Missing("kl-f4", None, "vaescreen registry pull kl-f4"),
    )


def test_a_candidate_that_fails_is_named_with_its_reason(ranking: Ranking) -> None:
    (failed,) = ranking.failed
    assert failed.candidate == "impossible"
    assert "256 coefficients, not 257" in failed.reason


def test_json_has_the_rows_and_all_that_was_left_out(ranking: Ranking) -> None:
    payload = ranking.as_json()
    assert [row["candidate"] for row in payload["rows"]] == [row.candidate for row in ranking.rows]
    assert payload["title"] == ranking.title
    assert [entry["candidate"] for entry in payload["missing"]] == ["far", "gone", "kl-f4"]
    assert [entry["candidate"] for entry in payload["failed"]] == ["impossible"]
    assert replace(ranking, predictor=None).as_json()["predictor"] is None


def test_when_all_candidates_fail_so_does_the_ranking(registry: Path, pictures: Path) -> None:
    with pytest.raises(CandidateError, match="256 coefficients, not 257"):
        vaescreen.rank(pictures, ["impossible"], at=Workplace(registry, machine=Machine(1)))


def test_when_nothing_is_on_this_machine_the_error_says_how_to_get_it(registry: Path, pictures: Path) -> None:
    with pytest.raises(CandidateError, match="vaescreen registry pull far"):
        vaescreen.rank(pictures, ["far"], at=Workplace(registry))


def test_names_are_checked_before_images_are_read(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="did you mean 'pca-f16c4'"):
        vaescreen.rank(tmp_path / "nowhere", ["pca-f16c3"], at=Workplace(registry))


def test_the_number_of_images_can_be_limited(registry: Path, pictures: Path) -> None:
    small = vaescreen.rank(
        DataOptions(pictures, train_images=2, test_images=1),
        ["dct-f16c4"],
        predictor=write_predictor(registry.parent),
        at=Workplace(registry, machine=Machine(1)),
    )
    counts = {"train_images": 2, "test_images": 1, "test_patients": 1}
    assert counts.items() <= small.cards[0]["counts"].items()


def test_the_package_names_what_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="'rnak'"):
        vaescreen.rnak  # noqa: B018
    assert {"rank", "open_data", "Registry"} <= set(dir(vaescreen))


def test_the_next_command_names_the_registry_that_was_given(
    ranking: Ranking, registry: Path, pictures: Path
) -> None:
    last = ranking.verdict.lines[-1]
    assert last.startswith("Next: `vaescreen reference train ")
    assert f" --data {pictures} --registry {registry}`" in last
