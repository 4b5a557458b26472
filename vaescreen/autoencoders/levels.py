"""Gray images in [0, 1] as the values that a network takes, and what it gives as gray images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.errors import CandidateError
from vaescreen.registry.settings import Settings


@dataclass(frozen=True)
class Levels:
    """Values of black and white, `[1, 1, 1]` or one for each colour channel, at the input and at the output."""

    channels: int
    black: Tensor
    white: Tensor
    black_out: Tensor
    white_out: Tensor

    @classmethod
    def of(cls, settings: Settings, usual: tuple[float, float], channels: int, name: str) -> "Levels":
        """Levels of a network of so many image channels; `usual` is the range of its class.

        Raises
        ------
        CandidateError
            If the settings give values for another number of channels.
        """
        if settings.mean is not None and settings.sd is not None:
            colours = min(channels, 3)
            if len(settings.mean) not in (1, colours):
                raise CandidateError(
                    f"{name}: settings.mean has {len(settings.mean)} values where 1 or {colours} are due"
                )
            mean, sd = torch.tensor(settings.mean), torch.tensor(settings.sd)
            black, white = -mean / sd, (1 - mean) / sd
        else:
            black, white = (torch.tensor([float(end)]) for end in settings.value_range or usual)
        if settings.output_range is None:
            outs = black, white
        else:
            outs = torch.tensor([settings.output_range[0]]), torch.tensor([settings.output_range[1]])
        return cls(channels, *(values[:, None, None] for values in (black, white, *outs)))

    def apply(self, images: Tensor) -> Tensor:
        """Images `[B, 1, H, W]` in [0, 1] to `[B, C, H, W]`; a fourth channel is opacity, set to opaque."""
        black, white = self.black.to(images), self.white.to(images)
        x = (black + (white - black) * images).expand(-1, min(self.channels, 3), -1, -1)
        if self.channels <= 3:
            return x.contiguous()  # a network may change its input in place
        opaque = white.amax().expand_as(x[:, :1]).expand(-1, self.channels - 3, -1, -1)
        return torch.cat([x, opaque], dim=1)

    def undo(self, images: Tensor) -> Tensor:
        """Images `[B, C, H, W]` of the network to `[B, 1, H, W]`; opacity is not read."""
        colours = images[:, :3] if images.shape[1] > 3 else images
        black, white = self.black_out.to(images), self.white_out.to(images)
        if len(black) in (1, colours.shape[1]):
            gray = colours.mean(dim=1, keepdim=True) if len(black) == 1 else colours
        else:  # fewer channels come out than go in
            black, white, gray = black.mean(0), white.mean(0), colours.mean(dim=1, keepdim=True)
        return ((gray - black) / (white - black)).mean(dim=1, keepdim=True)
