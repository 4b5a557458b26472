"""Between raw latents and what a network is trained on: measured on the train split, the same for every image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipe import Recipe


@dataclass(frozen=True)
class Scale:
    """Scales of HR latents and of the condition.

    Attributes
    ----------
    hr
        Of the HR latent: per channel as measured, or none.
    condition
        Of the condition: that of the HR latent for parts that are latents, its own for pixels.
    limit
        Largest absolute value of the scaled HR latents of the train split.
    """

    hr: Standardisation
    condition: Standardisation
    limit: float

    @classmethod
    def of(cls, recipe: Recipe, raw: LatentPairs) -> "Scale":
        """Measure raw pairs of the train split as the recipe says."""
        hr = Standardisation.of(raw.hr)
        if recipe.latent_scaling != "standardised":
            hr = Standardisation(torch.zeros_like(hr.mean), torch.ones_like(hr.sd))
        parts, place = [], 0
        for part in recipe.conditioning:
            if part == "lr-pixels":
                width = raw.condition.shape[1] - raw.hr.shape[1] * (len(recipe.conditioning) - 1)
                parts.append(Standardisation.of(raw.condition[:, place : place + width]))
            else:
                width = raw.hr.shape[1]
                parts.append(hr)
            place += width
        condition = Standardisation(*(torch.cat(values) for values in zip(*parts, strict=True)))
        return cls(hr, condition, float(hr.apply(raw.hr).abs().max()))

    def apply(self, raw: LatentPairs) -> LatentPairs:
        """Scale raw pairs."""
        return LatentPairs(self.hr.apply(raw.hr), self.condition.apply(raw.condition))

    def to(self, device: torch.device | str) -> "Scale":
        """Give the same scale with its tensors on a device."""
        hr, condition = (
            Standardisation(each.mean.to(device), each.sd.to(device)) for each in (self.hr, self.condition)
        )
        return Scale(hr, condition, self.limit)

    def undo(self, latents: Tensor) -> Tensor:
        """Bring scaled HR latents `[B, C, h, w]` back to raw ones."""
        return self.hr.undo(latents)
