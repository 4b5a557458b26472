"""What a factory's autoencoder is, found out by making and trying it: for entries that are yet to be written."""

from typing import Any, NamedTuple

import torch
from torch import nn

from vaescreen.autoencoders.classes import class_of
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.outputs import latents_of
from vaescreen.autoencoders.plugins import first_channels, is_network, make, run
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

TRIED_SIDE = 128
_USUAL_CHANNELS = (3, 1)
_MOST_CHANNELS = 4
"""A first convolution of more takes no image but what was made of one."""


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
            f"{name}: its factory gives a {type(made).__name__}, which is no torch.nn.Module with encode and decode"
            f"{_network_inside(made)}"
        )
    known = class_of(made)
    if known is not None:
        return Measured(known.geometry(made), known.image_channels(made))
    network = nn.Module.to(made.eval(), torch.float32)
    channels, latents = _tried(network, name)
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
    _refuse_moments(network, latents, name)
    return Measured(Geometry(latents.shape[1], TRIED_SIDE // side), channels)


def _network_inside(made: Any) -> str:
    """The first network with encode and decode within what a factory gave, to end a message with."""
    if isinstance(made, nn.Module):
        inside = next((key for key, part in made.named_modules() if is_network(part)), None)
        return f"; its `{inside}` is one: give that" if inside else ""
    if isinstance(made, tuple | list):
        places = [place for place, part in enumerate(made) if is_network(part)]
        return f"; number {places[0]} of it is one: give that alone" if places else ""
    return ""


def _refuse_moments(network: Any, latents: torch.Tensor, name: str) -> None:
    """Refuse a network whose `encode` gives twice the channels that `decode` takes: mean and variance in one."""

    def takes(channels: int) -> bool:
        try:
            with torch.no_grad():
                network.decode(latents[:, :channels].clone())
        except Exception:  # the user's own code may raise anything
            return False
        return True

    half, rest = divmod(latents.shape[1], 2)
    if half and not rest and not takes(2 * half) and takes(half):
        raise CandidateError(
            f"{name}: encode gives {2 * half} channels where decode takes {half}: mean and logarithm of the variance "
            "in one tensor; give the mean, `moments.chunk(2, dim=1)[0]`"
        )


def _tried(network: Any, name: str) -> tuple[int, torch.Tensor]:
    """Image channels that the network takes, and its latents of a black image."""
    reasons = {}
    for channels in dict.fromkeys((first_channels(network, name) or 3, *_USUAL_CHANNELS)):
        try:
            with torch.no_grad():
                encoded = network.encode(torch.zeros(1, channels, TRIED_SIDE, TRIED_SIDE))
        except Exception as error:  # the user's own code may raise anything
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
            reasons[channels] = f"encode fails on 1x{channels}x{TRIED_SIDE}x{TRIED_SIDE} zeros ({reason})"
        else:
            return channels, latents_of(encoded, name).mean
    told = next((channels for channels in reasons if channels <= _MOST_CHANNELS), _USUAL_CHANNELS[0])
    raise CandidateError(f"{name}: {reasons[told]}")


def _sizes(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape))
