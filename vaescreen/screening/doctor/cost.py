"""What one image costs: milliseconds to encode and to decode, and the memory it takes at most."""

import ctypes
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Subject, Use, decode, encode

REPEATS = 3
QUICK_MS = 1000.0
"""Below this an image is timed more than once."""
SLOW_MS = 20_000.0
"""Milliseconds an image above which a warning stands: a thousand images then take more than five hours."""
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): set VmHWM to the current resident size


class Cost(NamedTuple):
    """Milliseconds to encode and to decode one image, and memory in MB (10^6 bytes) beyond what was taken before."""

    encode_ms: float
    decode_ms: float
    peak_mb: float | None


def use_one_by_one(subject: Subject, autoencoder: Autoencoder) -> tuple[Use, Cost]:
    """Encode and decode each image alone, and what one costs.

    The first warms up and the last tells the memory; where an image is quick its times are the median of three. On a
    CPU the time is processor time, which other work on the machine does not lengthen, and the memory is the resident
    size of the process, which only Linux tells; on a GPU they are wall time and allocated memory.

    Raises
    ------
    Failure
        If the autoencoder fails, or gives unlike shapes.
    """
    size = (subject.images.shape[-2], subject.images.shape[-1])
    on_gpu = torch.device(subject.device).type == "cuda"
    uses: list[Use] = []
    times: list[tuple[float, float]] = []

    def run(image: Tensor) -> None:
        encode_ms, latents = _timed(lambda: encode(autoencoder, image), on_gpu)
        decode_ms, decoded = _timed(lambda: decode(autoencoder, latents, size), on_gpu)
        times.append((encode_ms, decode_ms))
        uses.append(Use(latents, decoded))

    *first, last = subject.images.split(1)
    for image in first:
        run(image)
    peak_mb = _peak_mb(lambda: run(last), on_gpu)
    whole = Use.joined(uses)
    while sum(times[-1]) < QUICK_MS and len(times) <= REPEATS:
        run(last)
    encode_ms, decode_ms = (median(each) for each in zip(*times[1:], strict=True))
    return whole, Cost(encode_ms, decode_ms, peak_mb)


def check_cost(report: Examination, subject: Subject, cost: Cost, slow_ms: float = SLOW_MS) -> None:
    """Report what one image costs, with a warning where it is slow."""
    size = tuple(subject.images.shape[-2:])
    report.measured |= {
        "size": list(size),
        "device": subject.device,
        "encode_ms": cost.encode_ms,
        "decode_ms": cost.decode_ms,
        "peak_memory_mb": cost.peak_mb,
    }
    memory = "unknown" if cost.peak_mb is None else f"{cost.peak_mb:.0f} MB"
    is_slow = cost.encode_ms + cost.decode_ms > slow_ms
    report.add(
        "cost",
        Status.WARNING if is_slow else Status.OK,
        f"{cost.encode_ms:.1f} ms to encode and {cost.decode_ms:.1f} ms to decode {size[0]}x{size[1]} pixels on "
        f"{subject.device}, peak memory {memory}",
        "score fewer images with --test-images, or use a GPU" if is_slow else None,
    )


def _timed(call: Callable[[], Tensor], on_gpu: bool) -> tuple[float, Tensor]:
    clock = time.perf_counter if on_gpu else time.process_time
    start = clock()
    result = call()
    if on_gpu:
        torch.cuda.synchronize()
    return 1000 * (clock() - start), result


def _peak_mb(call: Callable[[], None], on_gpu: bool) -> float | None:
    """Memory in MB (10^6 bytes) that `call` takes at most, beyond what was taken before."""
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(
            0
        )  # else what earlier work left free would be used, and not counted
        _CLEAR.write_text(_RESET_PEAK)
        before_kb = _kilobytes("VmHWM")
        call()
        return max(_kilobytes("VmHWM") - before_kb, 0) * 1024 / 1e6
    except (OSError, AttributeError):
        call()
        return None


def _kilobytes(key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"no {key} in {_STATUS}")
    return int(found[1])
