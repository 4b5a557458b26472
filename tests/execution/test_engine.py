"""Where work runs, as it is written on the command line."""

import pytest

from vaescreen.errors import VaescreenError
from vaescreen.execution import LOCAL, Engine, engine_named


def test_names():
    assert engine_named("local") == LOCAL
    assert engine_named("ray") == Engine("ray", None, 1.0)
    assert engine_named("ray:10.0.0.1:6379", 0.25) == Engine("ray", "10.0.0.1:6379", 0.25)
    assert engine_named("ray:ray://head:10001", 2).address == "ray://head:10001"


@pytest.mark.parametrize("text", ["slurm", "Ray", "local:8", "ray:", ""])
def test_unknown_names_are_refused(text):
    with pytest.raises(VaescreenError, match="give local, ray or ray:ADDRESS"):
        engine_named(text)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_impossible_shares_are_refused(share):
    with pytest.raises(VaescreenError, match="GPUs; give a share"):
        engine_named("ray", share)
