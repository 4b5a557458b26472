"""A registry entry becomes encode and decode on grayscale images in [0, 1].

`contract` says what every autoencoder looks like from outside. `networks` puts a network behind it: `classes`
describes each class of diffusers, `settings` how one is run, `tiling` how large images are; `formats` reads
diffusers' files and, by `ldm`, those of the latent-diffusion code; `checkpoint` reads tensors without running
what a file carries; `weights` finds files, `hub` fetches them. `plugins` opens the user's own modules and the
adapters of other packages; `linear` has the codecs that need no training.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vaescreen.errors import CandidateError

if TYPE_CHECKING:
    import torch

    from vaescreen.autoencoders.contract import Autoencoder
    from vaescreen.images import DataSet
    from vaescreen.registry.candidate import Candidate

__all__ = ["Unopened", "fingerprint_of", "open_autoencoder", "unopened"]


class Unopened(NamedTuple):
    """An autoencoder that knows how to open itself, on a device, and how to fingerprint itself unopened."""

    open: Callable[[torch.device | str], Autoencoder]
    fingerprint: Callable[[], str]


def open_autoencoder(
    candidate: Candidate, data: DataSet | None = None, device: torch.device | str = "cpu"
) -> Autoencoder:
    """Open a candidate that is on this machine.

    Parameters
    ----------
    candidate
        The registry entry.
    data
        What linear codecs are fitted on: its train split. Networks do not look at it.
    device
        Where networks run. Linear codecs run where their input is.

    Raises
    ------
    CandidateError
        If it cannot be opened: not on this machine, damaged, unsafe, or not what the registry says.
    """
    return unopened(candidate, data).open(device)


def fingerprint_of(candidate: Candidate, data: DataSet | None = None) -> str:
    """Fingerprint that `open_autoencoder` would give: from file hashes alone, unless it is made by code.

    Raises
    ------
    CandidateError
        If the candidate's files are not on this machine or cannot be read.
    """
    return unopened(candidate, data).fingerprint()


def unopened(candidate: Candidate, data: DataSet | None = None) -> Unopened:
    """What a candidate is, asked in this one place: a linear codec, a network, the user's own code or a plug-in.

    Raises
    ------
    CandidateError
        If a linear codec has no data to be fitted on.
    """
    from vaescreen.registry.candidate import ADAPTERS
    from vaescreen.registry.sources import LinearSource

    if isinstance(candidate.source, LinearSource):
        from vaescreen.autoencoders.linear import linear_fingerprint, open_linear

        if candidate.settings.changed():
            raise CandidateError(f"{candidate.name}: a linear codec has no settings; leave them out")
        if data is None:
            raise CandidateError(f"{candidate.name}: a linear codec needs a data set to be fitted on")
        stated = candidate.source.basis, candidate.geometry, data
        return Unopened(lambda _: open_linear(*stated, candidate.name), lambda: linear_fingerprint(*stated))
    if candidate.adapter == "medvae":
        from vaescreen.autoencoders import medvae

        return Unopened(partial(medvae.open_medvae, candidate), partial(medvae.fingerprint, candidate))
    if candidate.adapter == "module" or candidate.adapter not in ADAPTERS:
        from vaescreen.autoencoders.plugins import open_module, open_plugin

        make = partial(open_module if candidate.adapter == "module" else open_plugin, candidate)
        return Unopened(make, lambda: make("cpu").fingerprint)
    from vaescreen.autoencoders import networks

    return Unopened(partial(networks.load_network, candidate), partial(networks.fingerprint, candidate))
