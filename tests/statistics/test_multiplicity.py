import numpy as np
import pingouin
import pytest

from vaescreen.errors import DataError
from vaescreen.statistics.multiplicity import holm


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never falling: 0.02, 0.03, 0.06, 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []


@pytest.mark.parametrize("count", [1, 2, 7, 45])
def test_holm_agrees_with_pingouin(count):
    p = np.random.default_rng(count).beta(0.3, 3, count)
    assert holm(p) == pytest.approx(pingouin.multicomp(p, method="holm")[1])


@pytest.mark.parametrize("p", [float("nan"), -0.1, 1.1])
def test_values_that_are_no_p_are_refused(p):
    with pytest.raises(DataError, match="not all between 0 and 1"):
        holm([0.5, p])
