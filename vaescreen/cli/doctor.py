"""`vaescreen doctor`: what the program finds on this machine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show

if TYPE_CHECKING:
    from pathlib import Path


_LEAST_FREE_MB = 2000


class Findings(TypedDict):
    """What is on this machine."""

    python: str
    vaescreen: str
    torch: str
    diffusers: str
    numpy: str
    pillow: str
    platform: str
    cpu: str
    threads: int
    cores: int | None
    gpus: list[str]
    cache: str
    cache_mb: float
    free_mb: float
    candidates: list[str]
    not_downloaded: list[str]
    problems: list[str]


@prints(Findings)
def doctor(form: options.OutputFormat = Format.TABLE) -> None:
    """Print versions, devices, threads, the cache and which candidates are here, and say what is wrong, if anything.

    What it prints is what a report of a fault should have with it.

    Examples
    --------
    vaescreen doctor
    vaescreen doctor --format json
    """
    findings = _findings()
    problems = list(_problems(findings))
    cells = [[name, _text(value)] for name, value in findings.items()]
    closing = problems or ["ok: what `vaescreen rank` needs is here"]
    payload = {**findings, "problems": problems}
    show(Sheet(["what", "found"], cells, [findings], payload, closing=closing, text_columns=2), form)


def _problems(findings: dict[str, Any]) -> Iterator[str]:
    if findings["free_mb"] < _LEAST_FREE_MB:
        yield (
            f"only {findings['free_mb']:.0f} MB are free where the cache lies; `vaescreen cache list` says what can "
            "go, VAESCREEN_CACHE names another folder"
        )
    if findings["threads"] > 1 and not findings["gpus"]:
        yield (
            f"PyTorch takes {findings['threads']} threads a process: results may differ in the last digits from those "
            "of one, and candidates worked on at a time get in each other's way; set OMP_NUM_THREADS=1"
        )


def _findings() -> dict[str, Any]:
    import os

    import torch

    from vaescreen.autoencoders.weights import available
    from vaescreen.environment import environment
    from vaescreen.registry.catalogue import Registry
    from vaescreen.storage import cache_dir, free_bytes

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
        "free_mb": round(free_bytes(cache) / 1e6, 1),
        "candidates": [name for name, candidate in candidates.items() if available(candidate)],
        "not_downloaded": [name for name, candidate in candidates.items() if not available(candidate)],
    }


def _bytes_below(folder: "Path") -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _text(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
