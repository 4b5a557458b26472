"""Degradations in one word, as on the command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaescreen.errors import DataError
from vaescreen.images.degradation import KERNELS, SCALES, Degradation
from vaescreen.images.degradation_names import NAMED, degradation_named
from vaescreen.images.noise import NOISES, Noise
from vaescreen.superres.recipes import PAPER


@pytest.mark.parametrize(
    ("text", "degradation"),
    [
        ("lanczos-x4", Degradation("lanczos", 4)),
        ("area-x8", Degradation("area", 8)),
        ("bicubic-x4-torch", Degradation("bicubic", 4, "torch")),
        ("bicubic-x4-torch-aliased", Degradation("bicubic", 4, "torch", antialias=False)),
        ("kspace-x4-rician", Degradation("kspace", 4, noise=Noise("rician", 0.02))),
        ("kspace-rician0.05-seed3-x2", Degradation("kspace", 2, noise=Noise("rician", 0.05, 3))),
        ("area-x2-gaussian.1", Degradation("area", 2, noise=Noise("gaussian", 0.1))),
    ],
)
def test_words_say_what_it_is(text: str, degradation: Degradation) -> None:
    assert degradation_named(text) == degradation


def test_the_papers_is_that_of_its_recipe() -> None:
    assert degradation_named("paper") == PAPER.degradation
    assert PAPER.degradation in NAMED.values()


NOISE = st.builds(Noise, st.sampled_from(NOISES), st.floats(1e-6, 1), st.integers(0, 2**32 - 1))
PLAIN = st.builds(Degradation, st.sampled_from(KERNELS), st.sampled_from(SCALES), noise=st.none() | NOISE)
TORCH = st.builds(
    Degradation,
    st.just("bicubic"),
    st.sampled_from(SCALES),
    st.just("torch"),
    st.booleans(),
    st.none() | NOISE,
)


@given(PLAIN | TORCH)
def test_a_name_makes_the_same_again(degradation: Degradation) -> None:
    assert degradation_named(degradation.name) == degradation
    assert degradation.name == str(degradation).replace(" ", "-")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lanczos", "has no scale"),
        ("lanczos-x4-x2", "'x2' is there twice"),
        ("lanczos-x4-fast", "'fast' is unknown"),
        ("kspace-x4-rician0.1-gaussian0.1", "is there twice"),
        ("area-x4-seed1", "a seed but no noise"),
        ("spline-x4", "unknown degradation 'spline'"),
        ("area-x3", "scale 3 is not supported"),
        ("lanczos-x4-torch", "bicubic alone"),
        ("bicubic-x4-aliased", "always antialiased"),
        ("area-x4-gaussian7", "fraction of full scale"),
        ("", "has no scale"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem) as refused:
        degradation_named(text)
    assert "\n" not in str(refused.value)
