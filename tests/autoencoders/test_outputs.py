"""What other people's encode and decode give: the mean of the posterior, and the images, in every form seen."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vaescreen.autoencoders.outputs import images_of, latents_of
from vaescreen.errors import CandidateError

MEAN = torch.arange(32.0).reshape(2, 1, 4, 4)


class Posterior:
    """As in CompVis' code, MAR's and MedVAE's."""

    std = torch.full_like(MEAN, 0.5)

    def mode(self) -> torch.Tensor:
        return MEAN

    def sample(self) -> torch.Tensor:
        return MEAN + torch.randn_like(MEAN)


@pytest.mark.parametrize(
    "encoded",
    [
        MEAN,
        (MEAN, torch.ones_like(MEAN)),
        [MEAN, {"loss": None}],
        (MEAN, 0.0, (None, None, MEAN)),
        {"latents": MEAN},
        {"mean": MEAN, "logvar": MEAN},
        {"latent_dist": Posterior()},
        Posterior(),
        (MEAN + 9, Posterior()),
        SimpleNamespace(latent_dist=Posterior()),
        SimpleNamespace(latents=MEAN),
        SimpleNamespace(latent=MEAN),
        SimpleNamespace(mean=MEAN),
        torch.distributions.Normal(MEAN, torch.ones_like(MEAN)),
        torch.distributions.Independent(torch.distributions.Normal(MEAN, torch.ones_like(MEAN)), 3),
    ],
)
def test_mean(encoded: Any) -> None:
    assert torch.equal(latents_of(encoded, "mine").mean, MEAN)


def test_spread_of_a_posterior() -> None:
    found = latents_of((None, Posterior()), "mine")
    assert found.sd is not None
    assert torch.equal(found.sd, Posterior.std)


@pytest.mark.parametrize("nothing", [None, (), {"loss": 3}, SimpleNamespace(loss=MEAN), "text"])
def test_none(nothing: Any) -> None:
    with pytest.raises(CandidateError, match=r"mine: encode gives .* in which no latents are found"):
        latents_of(nothing, "mine")


def test_indices_are_no_latents() -> None:
    with pytest.raises(CandidateError, match="the indices of codes"):
        latents_of(torch.zeros(1, 4, 4, dtype=torch.long), "mine")


@pytest.mark.parametrize(
    "decoded", [MEAN, (MEAN, 1), [MEAN], {"sample": MEAN}, SimpleNamespace(sample=MEAN), ({"x_hat": MEAN},)]
)
def test_images(decoded: Any) -> None:
    assert torch.equal(images_of(decoded, "mine"), MEAN)


def test_no_images() -> None:
    with pytest.raises(CandidateError, match="decode gives a dict of loss, in which no images are found"):
        images_of({"loss": MEAN}, "mine")
