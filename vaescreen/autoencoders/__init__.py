"""A registry entry becomes encode and decode on grayscale images in [0, 1].

`contract` says what every autoencoder looks like from outside. `networks` puts diffusers' networks behind
it, published or bundled, `weights` finds or fetches their files, `checkpoint` reads those without running
what they carry; `linear` has the codecs that need no training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from vaescreen.autoencoders.contract import Autoencoder
    from vaescreen.candidate import Candidate
    from vaescreen.images import DataSet

__all__ = ["fingerprint_of", "open_autoencoder"]


def open_autoencoder(candidate: Candidate, data: DataSet, device: torch.device | str = "cpu") -> Autoencoder:
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
    from vaescreen.candidate import LinearSource

    if isinstance(candidate.source, LinearSource):
        from vaescreen.autoencoders.linear import open_linear

        return open_linear(candidate.source.basis, candidate.geometry, data, candidate.name)
    from vaescreen.autoencoders.networks import load_network

    return load_network(candidate, device)


def fingerprint_of(candidate: Candidate, data: DataSet) -> str:
    """Fingerprint that `open_autoencoder` would give, from file hashes alone: nothing is built or fitted.

    Raises
    ------
    CandidateError
        If the candidate's files are not on this machine or cannot be read.
    """
    from vaescreen.candidate import LinearSource

    if isinstance(candidate.source, LinearSource):
        from vaescreen.autoencoders.linear import linear_fingerprint

        return linear_fingerprint(candidate.source.basis, candidate.geometry, data)
    from vaescreen.autoencoders.checkpoint import file_sha256, network_fingerprint, read_config
    from vaescreen.autoencoders.weights import locate

    files = locate(candidate)
    config = read_config(files.config, candidate.name)
    return network_fingerprint(config, file_sha256(files.weights, candidate.name))
