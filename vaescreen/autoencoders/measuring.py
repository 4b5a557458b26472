"""What a factory's autoencoder is, found out by making and trying it: for entries that are yet to be written."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

from vaescreen.autoencoders.classes import CLASSES
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.plugins import any_latents, first_channels, make
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

TRIED_SIDE = 128


class Measured(NamedTuple):
    """Geometry, and image channels if there are others than the gray of the contract."""

    geometry: Geometry
    image_channels: int | None


def measure_module(candidate: Candidate) -> Measured:
    """Make the autoencoder of a `module` candidate and measure it; the geometry of the entry plays no part.

    Raises
    ------
    CandidateError
        If the factory cannot be called, or what it gives is no autoencoder.
    """
    name = candidate.name
    made = make(candidate)
    if isinstance(made, Autoencoder):
        return Measured(Geometry(*made.geometry), None)
    known = CLASSES.get(type(made).__name__)
    if known is not None:
        return Measured(known.geometry(made), known.image_channels(made))
    if not isinstance(made, nn.Module):
        raise CandidateError(f"{name}: its factory gives a {type(made).__name__}, which is no autoencoder")
    channels = first_channels(made, name)
    try:
        with torch.no_grad():
            encode: Callable[[torch.Tensor], Any] = made.eval().encode  # type: ignore[assignment]
            latents = any_latents(encode(torch.zeros(1, channels, TRIED_SIDE, TRIED_SIDE)), name)
    except CandidateError:
        raise
    except Exception as error:  # the user's own code may raise anything
        reason = " ".join(str(error).split())[:150]
        raise CandidateError(
            f"{name}: encode fails on 1x{channels}x{TRIED_SIDE}x{TRIED_SIDE} zeros ({reason})"
        ) from error
    if latents.dim() != 4 or not 0 < latents.shape[-1] <= TRIED_SIDE or TRIED_SIDE % latents.shape[-1]:
        raise CandidateError(
            f"{name}: encode gives {tuple(latents.shape)} for 1x{channels}x{TRIED_SIDE}x{TRIED_SIDE}; "
            "1 x channels x height/factor x width/factor is expected"
        )
    return Measured(Geometry(latents.shape[1], TRIED_SIDE // latents.shape[-1]), channels)
