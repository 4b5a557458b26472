from vaescreen.registry.catalogue import make_candidate
from vaescreen.registry.licences import has_licence, is_permissive

FIELDS = {
    "adapter": "linear",
    "source": {"basis": "dct"},
    "geometry": {"channels": 4, "factor": 8},
    "domain": "none",
    "family": "dct",
    "training_data": "none",
}


def licensed(licence: str, **more):
    return make_candidate("mine", FIELDS | {"licence": licence} | more)


def test_licences_that_ask_for_no_more_than_a_name_are_permissive() -> None:
    for licence in ("MIT", "mit", "Apache-2.0", "BSD-3-Clause", "CC0-1.0"):
        assert is_permissive(licensed(licence))


def test_all_others_are_not() -> None:
    for licence in ("Stability AI Community", "CC-BY-NC-4.0", "OpenRAIL++", "GPL-3.0", "unknown", "MIT-ish"):
        assert not is_permissive(licensed(licence))


def test_a_licence_that_could_not_be_confirmed_is_not_counted_on() -> None:
    assert not is_permissive(licensed("MIT", unverified=["licence"]))
    assert has_licence(licensed("MIT", unverified=["licence"]), "mit")


def test_a_licence_is_found_by_name_or_as_permissive() -> None:
    assert has_licence(licensed("Apache-2.0"), "permissive")
    assert has_licence(licensed("GPL-3.0"), "gpl-3.0")
    assert not has_licence(licensed("GPL-3.0"), "Permissive")
