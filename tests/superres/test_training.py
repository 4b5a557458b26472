"""Training: reproducible, resumable, blind to the scale of a latent space, and right about the noise."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.autoencoders.tensor_files import recall_tensors
from vaescreen.errors import CandidateError
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.networks import Transformer
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.training import Trained, train
from vaescreen.superres.variants import vary

FACTOR = 4


@pytest.fixture
def pairs() -> LatentPairs:
    """The HR latent is the condition with its channels swapped: easily learnt."""
    condition = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    return LatentPairs(condition.flip(1).contiguous(), condition)


@pytest.fixture
def recipe(recipe) -> Recipe:
    return replace(recipe, conditioning=("upsampled-latent",))


@pytest.fixture
def short(recipe) -> Recipe:
    return replace(recipe, samples=22)


@pytest.fixture(params=["x0", "residual-shift"])
def objective(request) -> str:
    return request.param


def same(first: Trained, second: Trained) -> bool:
    return (
        first.losses == second.losses
        and first.weights.keys() == second.weights.keys()
        and all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)
    )


def interrupt(at: int) -> Callable[[int, float], None]:
    def on_step(step: int, loss: float) -> None:
        if step == at:
            raise KeyboardInterrupt

    return on_step


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(short, pairs, tmp_path, objective):
    short = vary(short, objective=objective)
    first, again = (train(short, pairs, FACTOR, tmp_path / name, seed=3) for name in "ab")
    assert same(first, again)
    assert not same(first, train(short, pairs, FACTOR, tmp_path / "c", seed=4))


def test_how_often_it_is_saved_decides_nothing(short, pairs, tmp_path):
    assert same(
        train(short, pairs, FACTOR, tmp_path / "often", checkpoint_every=1),
        train(short, pairs, FACTOR, tmp_path / "once"),
    )


@pytest.mark.parametrize("at", [2, 3, 7, 10])
def test_an_interrupted_run_ends_in_the_weights_of_a_straight_one(short, pairs, tmp_path, objective, at):
    short = vary(short, objective=objective)
    straight = train(short, pairs, FACTOR, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(short, pairs, FACTOR, tmp_path / "broken", checkpoint_every=4, on_step=interrupt(at))
    steps = []
    resumed = train(
        short,
        pairs,
        FACTOR,
        tmp_path / "broken",
        checkpoint_every=4,
        on_step=lambda step, loss: steps.append(step),
    )
    assert steps == list(range((at - 1) // 4 * 4 + 1, 12))
    assert same(resumed, straight)


def test_the_logged_losses_do_not_depend_on_an_interruption(recipe, pairs, tmp_path):
    seen = []
    straight = train(recipe, pairs, FACTOR, tmp_path / "a", on_step=lambda step, loss: seen.append(loss))
    with pytest.raises(KeyboardInterrupt):
        train(recipe, pairs, FACTOR, tmp_path / "b", checkpoint_every=45, on_step=interrupt(99))
    assert straight.losses == [pytest.approx(sum(seen) / 100, abs=1e-5)]
    assert same(train(recipe, pairs, FACTOR, tmp_path / "b", checkpoint_every=45), straight)


def test_a_finished_run_is_read_back(short, pairs, tmp_path):
    finished = train(short, pairs, FACTOR, tmp_path / "checkpoint")
    assert same(train(short, pairs, FACTOR, tmp_path / "checkpoint", on_step=interrupt(11)), finished)


def test_the_loss_falls(recipe, pairs, tmp_path):
    trained = train(replace(recipe, samples=400), pairs, FACTOR, tmp_path / "checkpoint")
    early, late = trained.losses
    assert late < 0.7 * early


def test_the_scale_of_a_latent_space_changes_nothing(short, tmp_path):
    """A power of two leaves every bit; ten leaves rounding errors, which training makes no more than small."""
    raw = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(0)) + 3

    def trained_on(gain: float) -> tuple[LatentPairs, Trained, list[float]]:
        scale, losses = Standardisation.of(gain * raw), []
        standardised = scale.apply(gain * raw)
        pairs = LatentPairs(standardised, standardised.flip(1))
        trained = train(
            short,
            pairs,
            FACTOR,
            tmp_path / str(gain),
            on_step=lambda step, loss: losses.append(loss),
        )
        return pairs, trained, losses

    pairs, trained, losses = trained_on(1.0)
    assert same(trained_on(16.0)[1], trained)
    pairs10, _, losses10 = trained_on(10.0)
    torch.testing.assert_close(pairs10.hr, pairs.hr, atol=1e-5, rtol=0)
    assert losses10 == pytest.approx(losses, rel=0.01)


def test_a_loss_that_is_not_finite_ends_the_run_with_the_step(short, pairs, tmp_path):
    def spoil(step: int, loss: float) -> None:
        if step == 5:
            pairs.hr.fill_(float("nan"))

    with pytest.raises(
        CandidateError, match="diverged at step 6: the loss is nan; no checkpoint was written yet"
    ):
        train(short, pairs, FACTOR, tmp_path / "checkpoint", on_step=spoil)


def test_the_last_good_checkpoint_is_named_and_still_good(short, pairs, tmp_path):
    clean = pairs.hr.clone()

    def spoil(step: int, loss: float) -> None:
        if step == 5:
            pairs.hr.fill_(float("nan"))

    path = tmp_path / "checkpoint"
    with pytest.raises(
        CandidateError, match=rf"the last good checkpoint is {path} of step 4; lower the recipe"
    ):
        train(short, pairs, FACTOR, path, checkpoint_every=2, on_step=spoil)
    pairs.hr.copy_(clean)
    resumed = train(short, pairs, FACTOR, path, checkpoint_every=2)
    assert same(resumed, train(short, pairs, FACTOR, tmp_path / "straight"))


def test_without_average_the_weights_themselves_are_kept(short, pairs, tmp_path):
    trained = train(replace(short, ema=0.0), pairs, FACTOR, tmp_path / "checkpoint")
    last = recall_tensors(tmp_path / "checkpoint", "checkpoint")["network"]
    assert all(torch.equal(trained.weights[name], last[name]) for name in last)


@pytest.mark.parametrize(
    "change",
    [
        {"objective": "epsilon"},
        {"objective": "v"},
        {"objective": "flow"},
        {"objective": "residual-shift"},
        {"preconditioning": "wiener"},
        {"schedule": "linear"},
        {"loss": "l1"},
        {"weight_decay": 0.5},
        {"clip": 0.01},
        {"precision": "float32"},
        {"epochs": 12},
    ],
    ids=str,
)
def test_every_choice_moves_the_weights_and_every_one_learns(recipe, pairs, tmp_path, change):
    base = replace(recipe, samples=36, crop=32)
    first, losses = train(base, pairs, FACTOR, tmp_path / "base"), []
    variant = vary(base, **change)
    other = train(variant, pairs, FACTOR, tmp_path / "x", on_step=lambda step, loss: losses.append(loss))
    assert not same(first, other)
    assert sum(losses[-6:]) < sum(losses[:6])


def test_a_transformer_learns_and_repeats_itself(short, pairs, tmp_path):
    dit = replace(short, network=Transformer("dit-tiny", 1, 2, 8, 2), crop=32)
    trained, losses = train(dit, pairs, FACTOR, tmp_path / "a"), []
    train(dit, pairs, FACTOR, tmp_path / "b", on_step=lambda step, loss: losses.append(loss))
    assert losses[-1] < losses[0]
    assert same(trained, train(dit, pairs, FACTOR, tmp_path / "b"))


def test_a_crop_larger_than_the_latent_is_the_whole_latent(short, pairs, tmp_path):
    small = LatentPairs(pairs.hr[..., :2, :2], pairs.condition[..., :2, :2])
    train(short, small, FACTOR, tmp_path / "checkpoint")
