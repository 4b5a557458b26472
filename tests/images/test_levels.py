"""Percentiles are NumPy's, whichever way they are found; a window is in the unit that the file measures in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vaescreen.errors import DataError
from vaescreen.images.levels import black_and_white, percentiles
from vaescreen.registry.reading import Window

SHARES = st.tuples(st.floats(0, 100), st.floats(0, 100))
TYPES = st.sampled_from([np.bool_, np.uint8, np.int8, np.uint16, np.int16, np.dtype(">i2")])


@settings(max_examples=60, deadline=None)
@given(arrays(TYPES, array_shapes(min_dims=2, max_dims=3, max_side=6)), SHARES)
def test_counted_percentiles_are_those_of_numpy(values: np.ndarray, shares: tuple[float, float]) -> None:
    expected = np.percentile(values.astype(np.float64), shares)
    np.testing.assert_allclose(percentiles(values, shares), expected, rtol=1e-12, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=3, max_side=6)), SHARES)
def test_percentiles_are_of_the_finite_values(values: np.ndarray, shares: tuple[float, float]) -> None:
    finite = values[np.isfinite(values)]
    if not finite.size:
        with pytest.raises(DataError, match="no value that is finite"):
            percentiles(values, shares)
        return
    with np.errstate(all="ignore"):
        expected = np.percentile(finite, shares)
        np.testing.assert_array_equal(percentiles(values.copy(), shares), expected)


def test_a_level_is_in_the_unit_of_the_file_and_full_scale_in_that_of_the_type() -> None:
    values = np.zeros((8, 8), np.int16)
    assert black_and_white(values, Window("level", (-160, 240)), slope=2, intercept=-1024) == (-160, 240)
    assert black_and_white(values, Window("full"), slope=2, intercept=1) == (-65535, 65535)
    assert black_and_white(values, Window("full"), slope=-2, intercept=1) == (-65533, 65537)
