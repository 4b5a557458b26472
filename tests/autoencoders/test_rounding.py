"""Half precision in software: as the real one where both exist, and without a trace afterwards."""

import copy

import pytest
import torch
from torch import nn

from vaescreen.autoencoders.rounding import rounded


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_is_near_real_half_precision_and_leaves_the_weights(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.SiLU(), nn.Conv2d(8, 1, 3))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    x = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        exact, real = model(x), copy.deepcopy(model).to(dtype)(x.to(dtype)).float()
        with rounded(model, dtype):
            found = model(x)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    error = (real - exact).abs().max()
    assert (found - real).abs().max() <= 2 * error
    assert not torch.equal(found, exact)


def test_overflows_where_half_precision_does() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 60000)
    with torch.no_grad(), rounded(model, torch.float16):
        assert model(torch.full((1, 1), 2.0)).isinf().all()
        assert (model(torch.full((1, 1), 0.5)) + 60000).isinf().all()
