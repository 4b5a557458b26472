"""`vaescreen doctor`: what the program finds on this machine."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show

if TYPE_CHECKING:
    from pathlib import Path


def doctor(
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
    clear_latents: Annotated[
        bool,
        typer.Option(
            "--clear-latents", help="Delete the cached latents first; training encodes again what it needs."
        ),
    ] = False,
) -> None:
    """Print versions, devices, threads, the cache and which candidates are on this machine."""
    if clear_latents:
        from vaescreen.superres import latents

        latents.clear_latents()
    findings = _findings()
    cells = [[name, _text(value)] for name, value in findings.items()]
    show(Sheet(["", ""], cells, [findings], findings, text_columns=2), form)


def _findings() -> dict[str, Any]:
    import os

    import torch

    from vaescreen.autoencoders.weights import available
    from vaescreen.environment import environment
    from vaescreen.registry.catalogue import Registry
    from vaescreen.storage import cache_dir

    candidates = Registry.load().candidates
    cache = cache_dir()
    gpus = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    found = environment()
    return {
        **{key: value for key, value in found.items() if key not in ("device", "dtype")},
        "cores": os.cpu_count(),
        "gpus": gpus,
        "cache": str(cache),
        "cache_mb": round(_bytes_below(cache) / 1e6, 1),
        "latents_mb": round(_bytes_below(cache / "latents") / 1e6, 1),
        "candidates": [name for name, candidate in candidates.items() if available(candidate)],
        "not_downloaded": [name for name, candidate in candidates.items() if not available(candidate)],
    }


def _bytes_below(folder: "Path") -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _text(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
