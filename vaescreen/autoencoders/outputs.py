"""What `encode` and `decode` of other people's networks give: the posterior mean, and images, found in it.

Research code gives a tensor, a posterior, a tuple that begins with either, a dictionary, or an object that holds
them under a name that says so. Latents are always the mean of a posterior where there is one.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from vaescreen.errors import CandidateError

_POSTERIORS = ("latent_dist", "posterior", "latent_distribution", "dist")
_LATENTS = (
    "mean",
    "mu",
    "loc",
    "z_mean",
    "z_mu",
    "latents",
    "latent",
    "z",
    "z_q",
    "quantized",
    "quant",
    "embeddings",
    "codes",
)
_IMAGES = ("sample", "images", "image", "reconstruction", "recon", "x_hat", "x_recon", "decoded", "output")


class Latents(NamedTuple):
    """Mean `[B, C, h, w]` of the posterior, and its standard deviation where the network knows one."""

    mean: Tensor
    sd: Tensor | None


def latents_of(encoded: Any, name: str) -> Latents:
    """Latents in what `encode` of candidate `name` gave.

    Raises
    ------
    CandidateError
        If there are none, or they are integers.
    """
    found = _found(encoded)
    if found is None:
        raise CandidateError(f"{name}: encode gives {_described(encoded)}, in which no latents are found")
    if not found.mean.is_floating_point():
        what = "" if found.mean.is_complex() else ", the indices of codes"
        raise CandidateError(
            f"{name}: encode gives values of {found.mean.dtype}{what}; it must give the real latents that decode takes"
        )
    return found


def images_of(decoded: Any, name: str) -> Tensor:
    """Images in what `decode` of candidate `name` gave.

    Raises
    ------
    CandidateError
        If there are none.
    """
    images = decoded
    while not isinstance(images, Tensor):
        if isinstance(images, tuple | list) and images:
            images = images[0]
            continue
        inner = next((v for key in _IMAGES if isinstance(v := _member(images, key), Tensor)), None)
        if inner is None:
            raise CandidateError(f"{name}: decode gives {_described(decoded)}, in which no images are found")
        images = inner
    return images


def _found(value: Any) -> Latents | None:
    if isinstance(value, Tensor):
        return Latents(value, None)
    posterior = next((p for key in _POSTERIORS if (p := _member(value, key)) is not None), None)
    if posterior is not None:
        return _found(posterior)
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return _in_sequence(value)
    mean = _mean(value)
    if mean is not None:
        return Latents(mean, _sd(value))
    for key in _LATENTS:
        inner = _found(_member(value, key)) if _member(value, key) is not None else None
        if inner is not None:
            return inner
    return _in_sequence(value) if isinstance(value, tuple) else None


def _in_sequence(values: tuple[Any, ...] | list[Any]) -> Latents | None:
    """A posterior anywhere in the sequence, else what comes first in it."""
    for value in values:
        if not isinstance(value, Tensor | tuple | list | Mapping) and (mean := _mean(value)) is not None:
            return Latents(mean, _sd(value))
    return _found(values[0]) if values else None


def _mean(posterior: Any) -> Tensor | None:
    """Mean of a posterior: a distribution of torch, or an object with `mode()`, or `mean`."""
    if isinstance(posterior, Mapping):
        return None
    for key in ("mean", "mode"):
        value = getattr(posterior, key, None)
        value = _called(value) if callable(value) and not isinstance(value, Tensor) else value
        if isinstance(value, Tensor):
            return value
    return None


def _sd(posterior: Any) -> Tensor | None:
    found = (getattr(posterior, key, None) for key in ("std", "stddev"))
    return next((value for value in found if isinstance(value, Tensor)), None)


def _called(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except TypeError:  # it takes arguments: not the mean of a posterior
        return None


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} of {', '.join(map(str, list(value)[:6])) or 'nothing'}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {', '.join(type(v).__name__ for v in value[:6]) or 'nothing'}"
    return f"a {type(value).__name__}"
