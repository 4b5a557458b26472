"""Training: reproducible, resumable, blind to the scale of a latent space, and right about the noise."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.errors import CandidateError
from vaescreen.superres.diffusion import build_scheduler
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.training import Trained, _draw, train

FACTOR = 4


@pytest.fixture
def pairs() -> LatentPairs:
    """The HR latent is the condition with its channels swapped: easily learnt."""
    condition = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    return LatentPairs(condition.flip(1).contiguous(), condition)


@pytest.fixture
def short(recipe) -> Recipe:
    return replace(recipe, samples=22)


def same(first: Trained, second: Trained) -> bool:
    return first.losses == second.losses and all(
        a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
        for a, b in ((first.half, second.half), (first.full, second.full))
    )


def interrupt(at: int) -> Callable[[int, float], None]:
    def on_step(step: int, loss: float) -> None:
        if step == at:
            raise KeyboardInterrupt

    return on_step


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(short, pairs, tmp_path):
    first, again = (train(short, pairs, FACTOR, tmp_path / name, seed=3) for name in "ab")
    assert same(first, again)
    assert not same(first, train(short, pairs, FACTOR, tmp_path / "c", seed=4))


def test_how_often_it_is_saved_decides_nothing(short, pairs, tmp_path):
    assert same(
        train(short, pairs, FACTOR, tmp_path / "often", checkpoint_every=1),
        train(short, pairs, FACTOR, tmp_path / "once"),
    )


@pytest.mark.parametrize("at", [3, 7, 10], ids=["before half", "after half", "after the half is saved"])
def test_an_interrupted_run_ends_in_the_weights_of_a_straight_one(short, pairs, tmp_path, at):
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


def test_the_loss_falls_and_the_second_half_of_the_budget_counts(recipe, pairs, tmp_path):
    trained = train(replace(recipe, samples=800, batch=4), pairs, FACTOR, tmp_path / "checkpoint")
    early, late = trained.losses
    assert late < 0.6 * early
    assert any(not torch.equal(trained.half[name], trained.full[name]) for name in trained.full)


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

    with pytest.raises(CandidateError, match="training diverged at step 5: the loss is nan"):
        train(short, pairs, FACTOR, tmp_path / "checkpoint", on_step=spoil)


def test_a_crop_larger_than_the_latent_is_the_whole_latent(short, pairs, tmp_path):
    small = LatentPairs(pairs.hr[..., :2, :2], pairs.condition[..., :2, :2])
    train(short, small, FACTOR, tmp_path / "checkpoint")


class TestDraws:
    """Crops, levels and noise of one step."""

    def draw(self, recipe, pairs, *, seed=0, step=0, cells=4, alphas=None):
        alphas = build_scheduler(recipe).alphas_cumprod if alphas is None else alphas
        return _draw(recipe, pairs, cells, alphas, seed, step)

    def test_noise_is_added_as_diffusers_does(self, recipe, pairs):
        recipe = replace(recipe, batch=500)
        drawn = self.draw(recipe, pairs)
        only_noise = self.draw(recipe, pairs, alphas=torch.zeros(1000)).noisy
        assert only_noise.std() == pytest.approx(1, abs=0.02)
        reference = DDIMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
        expected = reference.add_noise(drawn.clean, only_noise, drawn.level)
        torch.testing.assert_close(drawn.noisy, expected, atol=1e-5, rtol=0)

    def test_levels_are_uniform_over_all(self, recipe, pairs):
        level = self.draw(replace(recipe, batch=20_000), pairs).level
        assert level.min() == 0
        assert level.max() == 999
        assert level.float().mean() == pytest.approx(499.5, abs=8)

    def test_latent_and_condition_are_cut_in_the_same_place_of_the_same_image(self, recipe, pairs):
        drawn = self.draw(replace(recipe, batch=50), pairs)
        assert drawn.clean.shape == (50, 2, 4, 4)
        assert torch.equal(drawn.clean, drawn.condition.flip(1))

    def test_crops_are_of_every_image_and_begin_at_every_lr_cell(self, recipe):
        number, down, right = torch.meshgrid(
            torch.arange(2.0), torch.arange(12.0), torch.arange(12.0), indexing="ij"
        )
        latents = torch.stack([number, down, right], 1)
        drawn = self.draw(replace(recipe, batch=500), LatentPairs(latents, latents))
        begin = {tuple(corner) for corner in drawn.clean[..., 0, 0].tolist()}
        assert begin == set(itertools.product((0, 1), (0, 4, 8), (0, 4, 8)))

    def test_seed_and_step_decide_them(self, recipe, pairs):
        first = self.draw(recipe, pairs, seed=1, step=2).noisy
        assert torch.equal(self.draw(recipe, pairs, seed=1, step=2).noisy, first)
        for other in ({"seed": 2, "step": 2}, {"seed": 1, "step": 3}):
            assert not torch.equal(self.draw(recipe, pairs, **other).noisy, first)
