"""Between raw latents and what a network is trained on: measured on the train split, the same for every image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipe import Recipe


@dataclass(frozen=True)
class Scale:
    """Scales of what is generated and of the condition.

    Attributes
    ----------
    recipe
        Whose target and conditioning they belong to.
    target
        Of the HR latent, or of its residual: per channel as measured, or none.
    condition
        Of the condition: that of the HR latent for parts that are latents, its own for pixels.
    limit
        Largest absolute value of the scaled targets of the train split.
    """

    recipe: Recipe
    target: Standardisation
    condition: Standardisation
    limit: float

    @classmethod
    def of(cls, recipe: Recipe, raw: LatentPairs) -> "Scale":
        """Measure raw pairs of the train split as the recipe says."""
        departure = raw.hr - recipe.task.base(raw.condition, raw.hr.shape[1])
        latent, target = _measured(recipe, raw.hr), _measured(recipe, departure)
        parts = recipe.task.widths(raw.condition.shape[1], raw.hr.shape[1])
        pieces = raw.condition.split(list(parts.values()), 1)
        scales = [
            Standardisation.of(piece) if part == "lr-pixels" else latent
            for part, piece in zip(parts, pieces, strict=True)
        ]
        condition = Standardisation(*(torch.cat(values) for values in zip(*scales, strict=True)))
        return cls(recipe, target, condition, float(target.apply(departure).abs().max()))

    def apply(self, raw: LatentPairs) -> LatentPairs:
        """Scale raw pairs."""
        base = self.recipe.task.base(raw.condition, raw.hr.shape[1])
        return LatentPairs(self.target.apply(raw.hr - base), self.condition.apply(raw.condition))

    def to(self, device: torch.device | str) -> "Scale":
        """Give the same scale with its tensors on a device."""
        target, condition = (
            Standardisation(each.mean.to(device), each.sd.to(device))
            for each in (self.target, self.condition)
        )
        return Scale(self.recipe, target, condition, self.limit)

    def undo(self, generated: Tensor, condition: Tensor) -> Tensor:
        """Raw HR latents `[B, C, h, w]` of what was generated, given the raw condition `[B, D, h, w]`."""
        return self.target.undo(generated) + self.recipe.task.base(condition, generated.shape[1])


def _measured(recipe: Recipe, latents: Tensor) -> Standardisation:
    if recipe.latent_scaling == "standardised":
        return Standardisation.of(latents)
    channels = latents.shape[1]
    return Standardisation(torch.zeros(channels), torch.ones(channels))
