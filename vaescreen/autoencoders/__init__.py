"""A registry entry becomes encode and decode on grayscale images in [0, 1].

`contract` says what every autoencoder looks like from outside. `networks` puts a network behind it: `classes`
describes each class of diffusers, `settings` how one is run, `tiling` how large images are; `formats` reads
diffusers' files and, by `ldm`, those of the latent-diffusion code; `checkpoint` reads tensors without running
what a file carries; `weights` finds files, `hub` fetches them. `plugins` opens the user's own modules and the
adapters of other packages; `linear` has the codecs that need no training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaescreen.errors import CandidateError

if TYPE_CHECKING:
    import torch

    from vaescreen.autoencoders.contract import Autoencoder
    from vaescreen.images import DataSet
    from vaescreen.registry.candidate import Candidate

__all__ = ["fingerprint_of", "open_autoencoder"]


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
    from vaescreen.registry.candidate import ADAPTERS, LinearSource

    if isinstance(candidate.source, LinearSource):
        from vaescreen.autoencoders.linear import open_linear

        if candidate.settings.changed():
            raise CandidateError(f"{candidate.name}: a linear codec has no settings; leave them out")
        return open_linear(
            candidate.source.basis, candidate.geometry, _given(data, candidate), candidate.name
        )
    if candidate.adapter == "medvae":
        from vaescreen.autoencoders.medvae import open_medvae

        return open_medvae(candidate, device)
    if candidate.adapter == "module":
        from vaescreen.autoencoders.plugins import open_module

        return open_module(candidate, device)
    if candidate.adapter not in ADAPTERS:
        from vaescreen.autoencoders.plugins import open_plugin

        return open_plugin(candidate, device)
    from vaescreen.autoencoders.networks import load_network

    return load_network(candidate, device)


def fingerprint_of(candidate: Candidate, data: DataSet | None = None) -> str:
    """Fingerprint that `open_autoencoder` would give: from file hashes alone, unless it is made by code.

    Raises
    ------
    CandidateError
        If the candidate's files are not on this machine or cannot be read.
    """
    from vaescreen.registry.candidate import LinearSource

    if isinstance(candidate.source, LinearSource):
        from vaescreen.autoencoders.linear import linear_fingerprint

        return linear_fingerprint(candidate.source.basis, candidate.geometry, _given(data, candidate))
    if candidate.runs_code:
        return open_autoencoder(candidate, data).fingerprint
    from vaescreen.autoencoders.files import network_fingerprint, weights_sha256
    from vaescreen.autoencoders.formats import read_config, stated_config
    from vaescreen.autoencoders.weights import locate

    files = locate(candidate)
    if candidate.adapter == "medvae":
        from vaescreen.autoencoders.medvae import fingerprint

        return fingerprint(files, candidate)
    config = read_config(files, candidate.name, candidate.adapter, stated_config(candidate))
    return network_fingerprint(config, weights_sha256(files, candidate.name), candidate.settings)


def _given(data: DataSet | None, candidate: Candidate) -> DataSet:
    if data is None:
        raise CandidateError(f"{candidate.name}: a linear codec needs a data set to be fitted on")
    return data
