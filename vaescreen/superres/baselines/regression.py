"""Direct regression from LR to HR by the network, budget and code of a recipe's diffusion model, without diffusion.

In pixels the part of the autoencoder is played by a lossless transform: the pixels of each block of the LR grid
are its channels. In latents it is a candidate: from the LR latent to the HR latent, decoded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.linear import LinearCodec, dct_vectors
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import digest, locked
from vaescreen.superres.baselines.files import IDS, Baseline, baseline_path, find_baseline, write_baseline
from vaescreen.superres.evaluation import evaluate
from vaescreen.superres.finished import checkpoint_path
from vaescreen.superres.latents import LatentPairs, training_pairs
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.scaling import Scale
from vaescreen.superres.training import train
from vaescreen.superres.variants import vary

_COLUMNS = [*IDS, "sr_psnr", "sr_psnr_foreground", "sr_ssim", "bicubic_psnr"]


def pixel_blocks(scale: int) -> LinearCodec:
    """All coefficients of the blocks of `scale` x `scale` pixels: nothing is lost but rounding."""
    return LinearCodec(dct_vectors(scale), scale, digest("pixel-blocks-1", scale))


def regress(
    data: DataSet,
    recipe: Recipe,
    results: Path,
    *,
    candidate: Candidate | None = None,
    seed: int = 0,
    device: str = "cpu",
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> dict[str, Any]:
    """Train and score a regression, or read the result where it is there already; interrupted, it goes on.

    Parameters
    ----------
    data
        Images of the size of the recipe.
    recipe
        Network, budget, optimiser, crops and degradation; objective and sampler give way to regression.
    results
        Folder of result files.
    candidate
        Whose latents are regressed; None for pixels.
    seed
        Of the training.
    device
        Where to train.
    on_step
        Called with the steps done and their total.

    Raises
    ------
    CandidateError
        If the autoencoder cannot be used, or training diverges.
    """
    chosen = vary(recipe, objective="regression")
    if candidate is None:
        chosen = vary(chosen, conditioning="upsampled-latent")
        autoencoder: Autoencoder = pixel_blocks(recipe.degradation.scale)
    else:
        autoencoder = open_autoencoder(candidate, data, device)
    view = recipe.view
    key = digest(
        "regression-1", autoencoder.fingerprint, data.fingerprint, chosen.training_description(), seed
    )
    of = candidate.name if candidate else "pixels"
    details = {
        "of": of,
        "geometry": Geometry(*autoencoder.geometry)._asdict(),
        "recipe": chosen.description(),
        "seed": seed,
    }
    baseline = Baseline(f"regression-{of}-{recipe.name}-seed{seed}", "regression", key, details)
    path = baseline_path(results, view, data.name, baseline.name)
    known = find_baseline(path, baseline, data, view)
    if known is not None:
        return known
    checkpoint = checkpoint_path(key)
    with locked(checkpoint):
        record = find_baseline(path, baseline, data, view)
        if record is None:
            raw = training_pairs(autoencoder, data, chosen)
            scale = Scale.of(chosen, raw)
            scaled = scale.apply(raw)
            pairs = LatentPairs(scaled.hr.to(device), scaled.condition.to(device))
            steps = chosen.steps_on(len(data.ids("train")))
            trained = train(
                chosen,
                pairs,
                autoencoder.geometry.factor,
                checkpoint,
                seed=seed,
                on_step=lambda step, loss: on_step(step, steps),
            )
            table = evaluate(chosen, trained, autoencoder, data, scale.to(device), seed=seed)[_COLUMNS]
            cost = {
                "samples": trained.steps * chosen.batch,
                "seconds": round(trained.seconds, 1),
                "losses": trained.losses,
            }
            record = write_baseline(path, baseline, data, view, table, device=device, training=cost)
        checkpoint.unlink(missing_ok=True)
    return record
