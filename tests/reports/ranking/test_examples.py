"""Which images are shown, by hand."""

import pandas as pd
import pytest

from vaescreen.reports.ranking.examples import SHOWN, choose


def tables(values: dict[str, list[float]], patients: list[str]) -> dict[str, pd.DataFrame]:
    ids = [f"image-{place}" for place in range(len(patients))]
    return {
        name: pd.DataFrame({"image_id": ids, "patient_id": patients, "psnr": column})
        for name, column in values.items()
    }


def test_hardest_median_and_those_that_tell_candidates_apart():
    """Of candidate b, images 3 and 5 are better than its usual lead of 1 dB over a, image 4 much worse."""
    a = [30.0, 20.0, 31.0, 32.0, 33.0, 34.0, 35.0]
    b = [31.0, 21.0, 32.0, 34.0, 30.0, 36.5, 36.0]
    chosen = choose(tables({"a": a, "b": b}, [f"p{n}" for n in range(7)]), ["a", "b"])
    assert [each.image_id for each in chosen[:2]] == ["image-1", "image-4"]
    assert [each.why for each in chosen[:2]] == ["hardest to reconstruct", "median difficulty"]
    assert [each.image_id for each in chosen[2:4]] == ["image-5", "image-3"]
    assert len(chosen) == SHOWN


def test_no_patient_twice_while_there_are_others():
    a = [20.0 + n for n in range(12)]
    b = [21.0 + n + (3.0 if n in (4, 5) else 0.0) for n in range(12)]
    patients = [f"p{n // 2}" for n in range(12)]
    chosen = choose(tables({"a": a, "b": b}, patients), ["a", "b"])
    shown = [patients[int(each.image_id.removeprefix("image-"))] for each in chosen]
    assert len(set(shown)) == SHOWN


def test_few_images_are_all_shown():
    chosen = choose(tables({"a": [30.0, 31.0]}, ["p0", "p1"]), ["a"])
    assert sorted(each.image_id for each in chosen) == ["image-0", "image-1"]


@pytest.mark.parametrize("hopeless", [[5.0, 9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0]])
def test_candidates_far_down_do_not_choose(hopeless):
    good = {f"good-{n}": [30.0 + image + 0.1 * n * (image == 6) for image in range(8)] for n in range(10)}
    patients = [f"p{n}" for n in range(8)]
    names = list(good)
    alone = choose(tables(good, patients), names)
    assert choose(tables(good | {"bad": hopeless}, patients), [*names, "bad"]) == alone
