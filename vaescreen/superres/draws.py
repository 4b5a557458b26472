"""What a step is trained on: crops, levels and noise, which depend on seed and step alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.superres.diffusion import Process
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipe import Recipe


@dataclass(frozen=True)
class Examples:
    """Noisy latents, condition, what the network should say, and the level of each, all `[B, ...]`."""

    noisy: Tensor
    condition: Tensor
    target: Tensor
    level: Tensor

    def part(self, place: slice) -> "Examples":
        """Some of the examples."""
        return Examples(self.noisy[place], self.condition[place], self.target[place], self.level[place])


def crop_cells(recipe: Recipe, factor: int, image_cells: int) -> int:
    """Side of a crop in latent cells: at least one cell of the LR latent, at most the whole image."""
    return min(max(recipe.crop // factor, recipe.degradation.scale), image_cells)


def draw(
    recipe: Recipe,
    process: Process,
    pairs: LatentPairs,
    cells: int,
    *,
    seed: int,
    step: int,
    share: slice = slice(None),
) -> Examples:
    """Random crops with noise at levels drawn uniformly, and evenly spread over each batch.

    Even spread makes the gradient less noisy (Kingma et al., Variational Diffusion Models, 2021, section I.1).

    Crops begin where an LR cell does, as whole images do: what belongs into a block of HR cells differs from
    place to place in the block, and the strides of the network tell these places apart.

    Parameters
    ----------
    recipe, process
        Batch size and scale; how noise is added.
    pairs
        Scaled latents, on the device to train on.
    cells
        Side of the crops.
    seed, step
        Decide every draw.
    share
        The part of the batch that is wanted: that of one of several processes.
    """
    device = pairs.hr.device
    generator = torch.Generator(device).manual_seed(seed * 1_000_003 + step)
    count, (height, width) = recipe.batch, pairs.hr.shape[-2:]
    block = recipe.degradation.scale

    def below(limit: int) -> Tensor:
        return torch.randint(limit, (count,), generator=generator, device=device)[share, None]

    chosen = below(len(pairs.hr))
    reach = torch.arange(cells, device=device)
    rows = block * below((height - cells) // block + 1) + reach
    columns = block * below((width - cells) // block + 1) + reach
    level = _spread(recipe.noise_levels, count, generator)[share]
    noise = torch.randn((count, pairs.hr.shape[1], cells, cells), generator=generator, device=device)[share]

    def cut(latents: Tensor) -> Tensor:
        channels = torch.arange(latents.shape[1], device=device)
        return latents[
            chosen[..., None, None],
            channels[:, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]

    clean, condition = cut(pairs.hr), cut(pairs.condition)
    noisy = process.noised(clean, recipe.task.anchor(condition, clean.shape[1]), noise, level)
    return Examples(process.inputs(noisy, level), condition, process.target(clean, noise, level), level)


def _spread(levels: int, count: int, generator: torch.Generator) -> Tensor:
    """Levels `[count]` that lie evenly apart, from a random one on; each is drawn uniformly."""
    device = generator.device
    places = torch.rand((), generator=generator, device=device) + torch.arange(count, device=device) / count
    return (places % 1 * levels).long().clamp(max=levels - 1)
