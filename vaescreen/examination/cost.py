"""What one image costs: milliseconds to encode and to decode, and the memory it takes at most."""

import ctypes
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.examination.findings import Examination, Status
from vaescreen.examination.subject import Subject, decode, encode

REPEATS = 3
QUICK_MS = 1000.0
"""Below this an image is timed more than once."""
SLOW_MS = 20_000.0
"""Milliseconds an image above which a warning stands: a thousand images then take more than five hours."""
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): set VmHWM to the current resident size


def check_cost(
    report: Examination, subject: Subject, autoencoder: Autoencoder, slow_ms: float = SLOW_MS
) -> None:
    """Time one image, as the median of three where that is quick, and find the peak of memory above what was there.

    On a CPU the time is processor time, which other work on the machine does not lengthen, and the memory is the
    resident size of the process, which only Linux tells; on a GPU they are wall time and allocated memory.
    """
    image = subject.images[:1]
    size = (image.shape[-2], image.shape[-1])
    on_gpu = torch.device(subject.device).type == "cuda"
    times: list[tuple[float, float]] = []

    def run() -> None:
        encode_ms, latents = _timed(lambda: encode(autoencoder, image), on_gpu)
        decode_ms, _ = _timed(lambda: decode(autoencoder, latents, size), on_gpu)
        times.append((encode_ms, decode_ms))

    peak_mb = _peak_mb(run, on_gpu)
    if sum(times[0]) < QUICK_MS:
        for _ in range(REPEATS):
            run()
        times = times[1:]  # the first warms up
    encode_ms, decode_ms = (median(each) for each in zip(*times, strict=True))
    report.measured |= {
        "size": list(size),
        "device": subject.device,
        "encode_ms": encode_ms,
        "decode_ms": decode_ms,
        "peak_memory_mb": peak_mb,
    }
    memory = "unknown" if peak_mb is None else f"{peak_mb:.0f} MB"
    report.add(
        "cost",
        Status.WARNING if encode_ms + decode_ms > slow_ms else Status.OK,
        f"{encode_ms:.1f} ms to encode and {decode_ms:.1f} ms to decode {size[0]}x{size[1]} pixels on "
        f"{subject.device}, peak memory {memory}",
        "score fewer images with --test-images, or use a GPU" if encode_ms + decode_ms > slow_ms else None,
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
