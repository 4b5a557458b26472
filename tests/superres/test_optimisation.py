"""A step in parts is the step of the whole batch; what does not fit into memory is halved until it does."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vaescreen.errors import CandidateError
from vaescreen.superres.draws import Examples
from vaescreen.superres.networks import UNet
from vaescreen.superres.optimisation import Stepper, backward, follow, learning_rate
from vaescreen.superres.recipes import COMPACT, PAPER


def examples(count: int = 7) -> Examples:
    generator = torch.Generator().manual_seed(0)
    noisy, condition, target = (torch.randn(count, 2, 8, 8, generator=generator) for _ in range(3))
    return Examples(noisy, condition, target, torch.arange(count) * 100)


def network() -> nn.Module:
    torch.manual_seed(0)
    return UNet("unet-tiny", (8, 8), 1, (), False, 8).build(4, 2, 8)


class Greedy(nn.Module):
    """Memory for so many examples and no more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.inner, self.most, self.seen = network(), most, []

    def forward(self, x, level):
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(x))
        return SimpleNamespace(sample=self.inner(x, level).sample)


@pytest.mark.parametrize("loss", ["l1", "l2"])
@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_gradients_of_parts_add_up_to_that_of_the_batch(loss, part):
    recipe = replace(COMPACT, loss=loss, precision="float32")
    whole, parts = network(), network()
    expected = backward(recipe, whole, examples(), 7)
    found = backward(recipe, parts, examples(), part)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    for one, other in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-6, rtol=1e-4)


def test_the_loss_is_the_mean_over_the_batch():
    said = network()
    some = examples(3)
    with torch.no_grad():
        answer = said(torch.cat([some.noisy, some.condition], 1), some.level).sample
    for loss, expected in (("l1", (answer - some.target).abs()), ("l2", (answer - some.target).square())):
        recipe = replace(COMPACT, loss=loss, precision="float32")
        assert backward(recipe, said, some, 2) == pytest.approx(expected.mean().item(), rel=1e-5)


def test_out_of_memory_halves_the_part_and_changes_nothing_else():
    recipe = replace(COMPACT, precision="float32")
    greedy, free = Greedy(2), network()
    steppers = Stepper(recipe, greedy, 7), Stepper(recipe, free, 7)
    losses = [[stepper.step(examples(), 1e-3).item() for _ in range(2)] for stepper in steppers]
    assert steppers[0].part == 2
    assert greedy.seen == [2, 2, 2, 1] * 2
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_when_not_even_one_fits_the_error_says_what_to_do():
    with pytest.raises(CandidateError, match="out of memory with 1 crops at a time; use a smaller network"):
        Stepper(COMPACT, Greedy(0), 7).step(examples(), 1e-3)


def test_processes_that_train_together_do_not_shrink_their_parts():
    with pytest.raises(CandidateError, match="out of memory with 7 crops at a time"):
        Stepper(COMPACT, Greedy(2), 7, alone=False).step(examples(), 1e-3)


def test_the_average_follows_by_one_minus_its_decay():
    layer = nn.Linear(2, 1)
    before = {name: value.detach().clone() for name, value in layer.named_parameters()}
    average = {name: value.clone() for name, value in before.items()}
    with torch.no_grad():
        layer.weight += 1
    follow(average, layer, 0.9)
    torch.testing.assert_close(average["weight"], before["weight"] + 0.1)
    torch.testing.assert_close(average["bias"], before["bias"])


def test_the_learning_rate_warms_up_and_falls_to_zero():
    assert learning_rate(COMPACT, 0, 1500) == pytest.approx(2e-3 / 100)
    assert learning_rate(COMPACT, 750, 1500) == pytest.approx(1e-3)
    assert learning_rate(COMPACT, 1499, 1500) < 1e-8


def test_with_epochs_the_learning_rate_is_constant_within_each():
    steps = 100 * 50
    rates = [learning_rate(PAPER, step, steps) for step in range(steps)]
    assert len(set(rates)) == 100
    assert len(set(rates[:50])) == 1
    assert rates[0] == 1e-4
    assert rates[50] == pytest.approx(1e-4 * 0.99975, rel=1e-5)  # (1 + cos(pi / 100)) / 2
