"""Autoencoders from code: a factory that the user names, and adapters that installed packages bring.

Either is the user's own choice on the user's own machine. Nothing here is ever taken from a hub.
"""

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from vaescreen.autoencoders.classes import NetworkClass, class_of
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.scaling import unscaled
from vaescreen.errors import CandidateError, VaescreenError
from vaescreen.registry.candidate import PLUGINS, Candidate
from vaescreen.registry.sources import ModuleSource
from vaescreen.registry.trust import how_to_trust
from vaescreen.storage import digest


def open_module(candidate: Candidate, device: torch.device | str = "cpu") -> Autoencoder:
    """Call the factory `package.module:factory` and put what it gives behind the contract.

    It may give an `Autoencoder`, which is used as it is; a network of a class that diffusers has; or any other
    `torch.nn.Module` with `encode` and `decode`. Such a module takes images `[B, C, H, W]` in the value range of
    the entry's settings ([-1, 1] unless they say otherwise), C being the entry's `input.channels` or that of
    its first convolution. For what `encode` and `decode` may give see `vaescreen.autoencoders.outputs`.

    Raises
    ------
    CandidateError
        If the module cannot be imported, the factory fails, or what it gives is no such thing, or has not the
        geometry of the entry.
    """
    module, made = make(candidate)
    autoencoder = run(lambda: _opened(made, module, candidate, device), candidate.name, _place(candidate))
    return _of_the_entry(autoencoder, candidate)


def _opened(made: Any, module: ModuleType, candidate: Candidate, device: torch.device | str) -> Autoencoder:
    if isinstance(made, Autoencoder):
        if candidate.settings.changed():
            raise CandidateError(
                f"{candidate.name}: {_place(candidate)} gives a finished autoencoder, which has no settings; "
                "leave them out"
            )
        return made
    if not is_network(made):
        raise CandidateError(
            f"{candidate.name}: {_place(candidate)} gives a {type(made).__name__}; a torch.nn.Module with encode and "
            "decode, or an object with geometry, fingerprint, encode and decode, is expected"
        )
    fingerprint = digest(_source_code(module), _tensors(made), candidate.settings.changed())
    description = class_of(made) or _description(made, candidate)
    return NetworkAutoencoder(made, candidate.name, fingerprint, device, candidate.settings, description)


def is_network(made: Any) -> bool:
    """Whether what a factory gave is a `torch.nn.Module` with encode and decode."""
    return isinstance(made, nn.Module) and all(
        callable(getattr(made, do, None)) for do in ("encode", "decode")
    )


def open_plugin(candidate: Candidate, device: torch.device | str = "cpu") -> Autoencoder:
    """Open a candidate by the adapter of another package: its entry point, called with candidate and device.

    Raises
    ------
    CandidateError
        If no installed package has the adapter, it fails, or what it gives is no autoencoder of that geometry.
    """
    adapter = candidate.adapter
    found = {point.name: point for point in entry_points(group=PLUGINS)}
    if adapter not in found:
        raise CandidateError(
            f"{candidate.name}: no installed package brings the adapter {adapter!r}; install it"
        )
    made = run(lambda: found[adapter].load()(candidate, device), candidate.name, f"adapter {adapter!r}")
    if not isinstance(made, Autoencoder):
        raise CandidateError(
            f"{candidate.name}: adapter {adapter!r} gives a {type(made).__name__}, not an object with geometry, "
            "fingerprint, encode and decode"
        )
    return _of_the_entry(made, candidate)


def make(candidate: Candidate) -> tuple[ModuleType, Any]:
    """Import the module of a `module` candidate, call its factory, and give both: what that gives, whatever it is.

    Raises
    ------
    CandidateError
        If the module cannot be imported, or the factory fails.
    """
    module, attribute = _module(candidate), _place(candidate).partition(":")[2]
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise CandidateError(f"{candidate.name}: {module.__name__} has no callable {attribute!r}")
    return module, run(factory, candidate.name, _place(candidate))


def _place(candidate: Candidate) -> str:
    """`package.module:factory` of a candidate that is made by one."""
    assert isinstance(candidate.source, ModuleSource)
    return candidate.source.module


def _module(candidate: Candidate) -> ModuleType:
    source, name = candidate.source, candidate.name
    assert isinstance(source, ModuleSource)
    if candidate.doubtful:
        raise CandidateError(
            f"{name}: its entry in {candidate.doubtful} runs code, {source.module}; {how_to_trust(candidate.doubtful)}"
        )
    module_name = source.module.partition(":")[0]
    with _importable(module_name, source.folder):
        module = run(lambda: importlib.import_module(module_name), name, f"importing {module_name}")
    assert isinstance(module, ModuleType)
    return module


@contextmanager
def _importable(module: str, folder: Path | None) -> Iterator[None]:
    """Make modules of `folder` importable, also where another of the same name has been imported from elsewhere."""
    if folder is None:
        yield
        return
    top = module.partition(".")[0]
    others = {key: known for key, known in sys.modules.items() if key.partition(".")[0] == top}
    if others and Path(getattr(others.get(top), "__file__", None) or "/").is_relative_to(folder.resolve()):
        others = {}
    for key in others:
        del sys.modules[key]
    sys.path.insert(0, str(folder.resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))
        sys.modules.update(others)


def run(function: Callable[[], Any], name: str, what: str) -> Any:
    """Run code of the user's; whatever it raises becomes one line that names the candidate and `what` failed.

    Raises
    ------
    CandidateError
        If it raises anything but an error of vaescreen's, which passes.
    """
    try:
        return function()
    except VaescreenError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code may raise anything
        reason = " ".join(str(error).split())[:150]
        raise CandidateError(f"{name}: {what} fails ({type(error).__name__}: {reason})") from error


def _of_the_entry(autoencoder: Autoencoder, candidate: Candidate) -> Autoencoder:
    if tuple(autoencoder.geometry) != tuple(candidate.geometry):
        raise CandidateError(
            f"{candidate.name}: the registry says {candidate.geometry}, but this is a network of "
            f"{autoencoder.geometry}"
        )
    return autoencoder


def _description(model: nn.Module, candidate: Candidate) -> NetworkClass:
    stated = candidate.input.channels if candidate.input else None
    channels = stated or first_channels(model, candidate.name)
    if channels is None:
        raise CandidateError(
            f"{candidate.name}: has no convolution to tell its image channels by; write `input: {{channels: 3, "
            f"multiple: {candidate.geometry.factor}}}` into its entry"
        )
    return NetworkClass(
        factor=lambda _: candidate.geometry.factor,
        latent_channels=lambda _: candidate.geometry.channels,
        image_channels=lambda _: channels,
        native=unscaled,
    )


def first_channels(model: nn.Module, name: str) -> int | None:
    """Image channels of a network's first convolution; None if it has none.

    Raises
    ------
    CandidateError
        If it is a convolution in three dimensions.
    """
    convolutions = (
        layer for layer in model.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    )
    first = next(convolutions, None)
    if isinstance(first, nn.Conv3d):
        raise CandidateError(
            f"{name}: is a 3-D network (its first convolution is a Conv3d); only 2-D autoencoders are screened"
        )
    return None if first is None else first.in_channels


def _source_code(module: ModuleType) -> str:
    try:
        return Path(module.__file__ or "").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _tensors(model: nn.Module) -> str:
    total = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        total.update(key.encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
