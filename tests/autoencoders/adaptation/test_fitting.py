"""Fine-tuning: the right weights move, on the train split alone, to what is best on val; resumed to the same bytes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vaescreen.autoencoders.adaptation.fitting import ceiling, fit
from vaescreen.autoencoders.adaptation.plan import Plan
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.tensor_files import recall_tensors
from vaescreen.errors import CandidateError, DataError
from vaescreen.images import Batch, DataSet, open_data
from vaescreen.images.generated import PhantomSource

PLAN = Plan(steps=6, batch=2, crop=16, check_every=3, learning_rate=1e-3, warm_up=1)
CLASSES = ("tiny_kl", "tiny_taesd", "tiny_dc")


class Watched(DataSet):
    """Notes which splits are read."""

    def batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        self.__dict__.setdefault("read", set()).add(split)
        return super().batches(split, batch_size)


@pytest.fixture
def data() -> DataSet:
    source = PhantomSource("brain", size=32, seed=0, counts={"train": 4, "val": 3, "test": 3})
    return Watched("few", source, size=32, seed=0, limits={})


@pytest.fixture
def opened(request, monkeypatch):
    def build(kind: str) -> NetworkAutoencoder:
        return NetworkAutoencoder(request.getfixturevalue(kind)(), kind, f"{kind}-0")

    return build


def weights(autoencoder: NetworkAutoencoder) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in autoencoder.network.state_dict().items()}


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("kind", CLASSES)
def test_the_decoder_alone(opened, data, tmp_path, kind):
    autoencoder = opened(kind)
    before, start = weights(autoencoder), ceiling(autoencoder, data, "val").mean()
    fitted = fit(autoencoder, data, PLAN, tmp_path / "c.pt")
    assert moved(before, weights(autoencoder)) <= {"decoder", "post_quant_conv"}
    assert "decoder" in moved(before, weights(autoencoder))
    assert fitted.best_step in (3, 6)
    assert fitted.validation[0] == (0, pytest.approx(float(start)))
    assert float(ceiling(autoencoder, data, "val").mean()) == max(value for _, value in fitted.validation)
    assert max(value for _, value in fitted.validation) > float(start)
    assert data.read == {"train", "val"}


@pytest.mark.parametrize("kind", CLASSES)
def test_the_whole_autoencoder(opened, data, tmp_path, kind):
    autoencoder = opened(kind)
    before = weights(autoencoder)
    fit(autoencoder, data, replace(PLAN, part="all"), tmp_path / "c.pt")
    assert {"encoder", "decoder"} <= moved(before, weights(autoencoder))


def test_never_worse_than_the_start(opened, data, tmp_path):
    autoencoder = opened("tiny_dc")
    fit(autoencoder, data, replace(PLAN, steps=40, check_every=40), tmp_path / "first.pt")
    before = weights(autoencoder)
    fitted = fit(autoencoder, data, replace(PLAN, learning_rate=30.0), tmp_path / "c.pt")
    assert fitted.best_step == 0
    assert not moved(before, weights(autoencoder))


def test_interrupted_and_resumed_ends_in_the_same_bytes(opened, data, tmp_path):
    plan = replace(PLAN, part="all")
    straight = opened("tiny_kl")
    expected = fit(straight, data, plan, tmp_path / "straight.pt")

    def interrupt(step: int, loss: float, best: float) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(opened("tiny_kl"), data, plan, tmp_path / "broken.pt", on_step=interrupt)
    steps = []
    resumed = opened("tiny_kl")
    found = fit(resumed, data, plan, tmp_path / "broken.pt", on_step=lambda step, *_: steps.append(step))
    assert steps == [4, 5, 6]
    assert found == expected
    assert not moved(weights(straight), weights(resumed))


@pytest.mark.parametrize(
    "change", [{"kl_weight": 1.0}, {"loss": "l1"}, {"seed": 1}, {"crop": 8}, {"batch": 3}]
)
def test_every_choice_counts(opened, data, tmp_path, change):
    plan = replace(PLAN, part="all", steps=1, check_every=1)
    one, other = opened("tiny_kl"), opened("tiny_kl")
    fit(one, data, plan, tmp_path / "one.pt")
    fit(other, data, replace(plan, **change), tmp_path / "other.pt")
    states = [recall_tensors(tmp_path / f"{name}.pt", name) for name in ("one", "other")]
    assert states[0]["losses"] != states[1]["losses"]


def test_the_divergence_is_that_of_the_posterior_in_nats_a_pixel(opened, data, tmp_path):
    """Closed form of Kingma and Welling (2014): half the sum of mean^2 + variance - 1 - log variance."""
    losses = []
    for weight in (0.0, 1.0):
        autoencoder = opened("tiny_kl")
        plan = replace(PLAN, part="all", steps=1, check_every=1, kl_weight=weight, crop=32)
        fit(autoencoder, data, plan, tmp_path / f"{weight}.pt")
        losses += recall_tensors(tmp_path / f"{weight}.pt", f"{weight}")["losses"]
    images = torch.cat([batch.images for batch in data.batches("train", 8)])
    drawn = torch.randint(2**31, (2, 4), generator=torch.Generator().manual_seed(0)).tolist()
    chosen = torch.stack([images[a % 4].flip(-1) if m % 2 else images[a % 4] for a, _, _, m in drawn])
    with torch.no_grad():
        moments = opened("tiny_kl").network.encode((2 * chosen - 1).expand(-1, 3, -1, -1)).latent_dist
    mean, logvar = moments.mean.double(), moments.logvar.double()
    expected = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum() / chosen.numel()
    assert losses[1] - losses[0] == pytest.approx(float(expected), rel=1e-4)


def test_what_cannot_be_trained_says_why(opened, tmp_path):
    source = PhantomSource("brain", size=32, seed=0, counts={"train": 2, "val": 0, "test": 2})
    with pytest.raises(DataError, match="no val images"):
        fit(opened("tiny_dc"), DataSet("few", source, size=32, seed=0, limits={}), PLAN, tmp_path / "c.pt")
    data = open_data("brain", size=32, train_images=2, test_images=2)
    with pytest.raises(CandidateError, match=r"the loss is (nan|inf) at step"):
        fit(
            opened("tiny_dc"),
            data,
            replace(PLAN, learning_rate=1e30, steps=50, check_every=50),
            tmp_path / "d.pt",
        )


@pytest.mark.parametrize(
    "change",
    [{"part": "encoder"}, {"loss": "l3"}, {"steps": 0}, {"kl_weight": -1.0}, {"learning_rate": float("nan")}],
)
def test_plans_that_make_no_sense(change):
    with pytest.raises(CandidateError, match=f"adapt: {next(iter(change))} is"):
        Plan(**change)


def test_a_checkpoint_is_complete_or_absent(opened, data, tmp_path: Path):
    fit(opened("tiny_dc"), data, PLAN, tmp_path / "folder" / "c.pt")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["c.pt"]
