"""Training on crops of the train split, judged on the val split; resumable to the identical weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.adaptation.plan import Plan
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors
from vaescreen.errors import CandidateError, DataError
from vaescreen.images import DataSet
from vaescreen.metrics.fidelity import psnr

READ_BATCH = 16
_DECODER = ("decoder.", "post_quant_conv.")

OnStep = Callable[[int, float, float], None]
"""Called after each step with the number done, the loss, and the best PSNR on the val split so far."""


@dataclass(frozen=True)
class Fitted:
    """Outcome of a fine-tuning, whose network has the weights of the best step.

    Attributes
    ----------
    best_step
        0 if nothing was better than the start.
    validation
        Step and mean PSNR on the val split, dB, from the start on.
    losses
        Mean loss between two of these.
    """

    best_step: int
    validation: list[tuple[int, float]]
    losses: list[float]


def fit(
    autoencoder: NetworkAutoencoder,
    data: DataSet,
    plan: Plan,
    checkpoint: Path,
    *,
    on_step: OnStep = lambda step, loss, best: None,
) -> Fitted:
    """Fine-tune a network where it is, going on from `checkpoint` where that exists.

    Every draw depends on the seed and the step alone, so an interrupted run ends in the same weights. Statistics
    of normalisation layers, where a network has any, stay as they are.

    Parameters
    ----------
    autoencoder
        Whose network is trained; in the end it has the weights that were best on the val split.
    data
        Its train split is trained on, its val split decides which weights are kept.
    plan
        All choices.
    checkpoint
        File that is brought up to date at every look at the val split.
    on_step
        Called after each step.

    Raises
    ------
    DataError
        If the val split is empty, or an image is smaller than the network's factor.
    CandidateError
        If the loss is no longer finite, or memory runs out.
    """
    if not data.ids("val"):
        raise DataError(f"{data.name}: has no val images, which decide when to stop; give it a val split")
    images = [image for batch in data.batches("train", READ_BATCH) for image in batch.images]
    network = autoencoder.network
    device = next(network.parameters()).device
    trained = {
        name: value.requires_grad_(plan.part == "all" or name.startswith(_DECODER))
        for name, value in network.named_parameters()
    }
    optimizer = torch.optim.Adam(
        [value for value in trained.values() if value.requires_grad], betas=(0.9, 0.99)
    )
    run: dict[str, Any] = {"step": 0, "validation": [], "losses": [], "best": {}, "best_step": 0}
    saved = recall_tensors(checkpoint, checkpoint.stem, device)
    if saved:
        run = saved
        network.load_state_dict(run.pop("network"))
        optimizer.load_state_dict(run.pop("optimizer"))
    else:
        _look(autoencoder, data, run)
    recent: list[float] = []
    while run["step"] < plan.steps:
        crops = _crops(images, plan, autoencoder.geometry.factor, run["step"]).to(device)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(run["step"])
        recent.append(_step(autoencoder, optimizer, crops, plan, run["step"]))
        run["step"] += 1
        if run["step"] % plan.check_every == 0 or run["step"] == plan.steps:
            run["losses"].append(sum(recent) / len(recent))
            recent = []
            _look(autoencoder, data, run)
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
            write_tensors(checkpoint, run | state, checkpoint.stem)
        on_step(
            run["step"], run["losses"][-1] if not recent else recent[-1], max(p for _, p in run["validation"])
        )
    network.load_state_dict(run["best"])
    network.requires_grad_(False)
    return Fitted(run["best_step"], [(int(s), float(p)) for s, p in run["validation"]], run["losses"])


def ceiling(autoencoder: NetworkAutoencoder, data: DataSet, split: str) -> Tensor:
    """PSNR of decode(encode(HR)) against HR of each image of a split, dB, float64 `[N]`."""
    values = []
    for batch in data.batches(split, READ_BATCH):
        height, width = batch.images.shape[-2:]
        values.append(
            psnr(batch.images, autoencoder.decode(autoencoder.encode(batch.images), (height, width)))
        )
    return torch.cat(values).cpu()


def _look(autoencoder: NetworkAutoencoder, data: DataSet, run: dict[str, Any]) -> None:
    """Judge the network as it is on the val split, and keep its weights if they are the best so far."""
    value = float(ceiling(autoencoder, data, "val").mean())
    if not run["validation"] or value > max(known for _, known in run["validation"]):
        run["best_step"] = run["step"]
        run["best"] = {name: tensor.clone() for name, tensor in autoencoder.network.state_dict().items()}
    run["validation"].append((run["step"], value))


def _crops(images: list[Tensor], plan: Plan, factor: int, step: int) -> Tensor:
    """Random crops `[B, 1, h, w]`, half of them mirrored; whole multiples of the factor."""
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
    drawn = torch.randint(2**31, (plan.batch, 4), generator=generator).tolist()
    chosen = [images[first % len(images)] for first, *_ in drawn]
    side = min(plan.crop, *(size for image in chosen for size in image.shape[-2:])) // factor * factor
    if side == 0:
        raise DataError(
            f"an image is smaller than {factor} pixels, the factor of the autoencoder; leave it out"
        )
    crops = []
    for image, (_, down, right, mirror) in zip(chosen, drawn, strict=True):
        top, left = down % (image.shape[-2] - side + 1), right % (image.shape[-1] - side + 1)
        crop = image[:, top : top + side, left : left + side]
        crops.append(crop.flip(-1) if mirror % 2 else crop)
    return torch.stack(crops)


def _step(
    autoencoder: NetworkAutoencoder, optimizer: torch.optim.Optimizer, crops: Tensor, plan: Plan, step: int
) -> float:
    try:
        loss = _loss(autoencoder, crops, plan, step)
        optimizer.zero_grad()
        loss.backward()
    except torch.OutOfMemoryError as error:
        raise CandidateError(
            f"adapt: out of memory with {plan.batch} crops of {crops.shape[-1]} pixels; make batch or crop smaller"
        ) from error
    value = float(loss.detach())
    if not math.isfinite(value):
        raise CandidateError(f"adapt: the loss is {value} at step {step}; use a lower learning rate")
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
    optimizer.step()
    return value


def _loss(autoencoder: NetworkAutoencoder, crops: Tensor, plan: Plan, step: int) -> Tensor:
    """Loss of crops `[B, 1, h, w]` in [0, 1], measured in the network's own range."""
    network, (black, white) = autoencoder.network, autoencoder.value_range
    gray = black + (white - black) * crops
    with torch.set_grad_enabled(plan.part == "all"):
        encoded = network.encode(gray.expand(-1, autoencoder.image_channels, -1, -1))
    divergence = gray.new_zeros(())
    if not hasattr(encoded, "latent_dist"):
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent
    elif plan.part == "decoder":
        latents = encoded.latent_dist.mode()
    else:
        posterior = encoded.latent_dist
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
        noise = torch.randn(posterior.mean.shape, generator=generator).to(gray.device)
        latents = posterior.mean + posterior.std * noise
        divergence = posterior.kl().sum() / gray.numel()
    decoded = network.decode(latents).sample.mean(dim=1, keepdim=True)
    measure = F.l1_loss if plan.loss == "l1" else F.mse_loss
    return measure(decoded, gray) + plan.kl_weight * divergence
