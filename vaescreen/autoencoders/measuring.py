"""What a factory's autoencoder is, found out by making and trying it: for entries that are yet to be written."""

from typing import Any, NamedTuple

import torch

from vaescreen.autoencoders.classes import class_of
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.outputs import latents_of
from vaescreen.autoencoders.plugins import first_channels, is_network, make, run
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

TRIED_SIDE = 128
_USUAL_CHANNELS = (3, 1)


class Measured(NamedTuple):
    """Geometry, and image channels if there are others than the gray of the contract."""

    geometry: Geometry
    image_channels: int | None


def measure_module(candidate: Candidate) -> Measured:
    """Make the autoencoder of a `module` candidate and measure it; the geometry of the entry plays no part.

    Raises
    ------
    CandidateError
        If the factory cannot be called, or what it gives is no autoencoder of 2-D latents.
    """
    _, made = make(candidate)
    measured: Measured = run(
        lambda: _measured(made, candidate.name), candidate.name, "what its factory gives"
    )
    return measured


def _measured(made: Any, name: str) -> Measured:
    if isinstance(made, Autoencoder):
        return Measured(Geometry(*made.geometry), None)
    if not is_network(made):
        raise CandidateError(
            f"{name}: its factory gives a {type(made).__name__}, which is no network with encode and decode"
        )
    known = class_of(made)
    if known is not None:
        return Measured(known.geometry(made), known.image_channels(made))
    channels, latents = _tried(made.eval(), name)
    if latents.dim() == 5:
        raise CandidateError(
            f"{name}: encode gives {_sizes(latents)}: a 3-D network; only 2-D autoencoders are screened"
        )
    if latents.dim() in (2, 3) or (latents.dim() == 4 and 1 in latents.shape[-2:]):
        raise CandidateError(
            f"{name}: encode gives {_sizes(latents)}: 1-D tokens, which keep no place in the image; only latents "
            "on a 2-D grid are screened"
        )
    side = latents.shape[-1]
    if latents.dim() != 4 or latents.shape[-2] != side or not 0 < side <= TRIED_SIDE or TRIED_SIDE % side:
        raise CandidateError(
            f"{name}: encode gives {_sizes(latents)} for 1x{channels}x{TRIED_SIDE}x{TRIED_SIDE}; "
            "1 x channels x height/factor x width/factor is expected"
        )
    return Measured(Geometry(latents.shape[1], TRIED_SIDE // side), channels)


def _tried(network: Any, name: str) -> tuple[int, torch.Tensor]:
    """Image channels that the network takes, and its latents of a black image."""
    reasons = []
    for channels in dict.fromkeys((first_channels(network, name) or 3, *_USUAL_CHANNELS)):
        try:
            with torch.no_grad():
                encoded = network.encode(torch.zeros(1, channels, TRIED_SIDE, TRIED_SIDE))
        except Exception as error:  # the user's own code may raise anything
            reason = " ".join(str(error).split())[:150]
            reasons.append(f"encode fails on 1x{channels}x{TRIED_SIDE}x{TRIED_SIDE} zeros ({reason})")
        else:
            return channels, latents_of(encoded, name).mean
    raise CandidateError(f"{name}: {reasons[0]}")


def _sizes(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape))
