"""Files damaged at random for as long as is asked for: each gives images in [0, 1] or one reason, ever.

python benchmarks/damaged_files.py --minutes 10 --out benchmarks/results/damaged_files.json

The small valid files of `tests/valid_files.py` are damaged as `tests/damage.py` says, a second of CPU a kind in turn,
so that a run that is stopped has given the same time to all; file number N of a kind follows from `Random("KIND N")`.
A finding is another exception than `DataError`, an image that is not one, or a file that takes longer than 20 s; the
peak memory of the process is recorded, and above 2 GB is a finding too.
"""

import argparse
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
MEMORY_MB = 2048
SECONDS_A_FILE = 20
SECONDS_A_TURN = 1


class TooLongError(BaseException):
    """A file took longer than it may; no decoder's `except Exception` holds it."""


def read_damaged(kind: str, sums: dict[str, Any], folder: Path) -> None:
    """Read damaged files of one kind for a turn, and add to what is known of it."""
    from damage import look_at_damaged
    from valid_files import valid_files

    began = time.process_time()
    while time.process_time() - began < SECONDS_A_TURN:
        number = sums["files"]
        place, started = folder / str(number), time.monotonic()
        signal.alarm(SECONDS_A_FILE)
        try:
            sums["images"] += look_at_damaged(place, valid_files(kind), Random(f"{kind} {number}"))
        except (Exception, TooLongError) as error:
            sums["findings"].append(f"file {number}: {type(error).__name__}: {error}"[:300])
        signal.alarm(0)
        shutil.rmtree(place)
        sums["slowest_s"] = max(sums["slowest_s"], round(time.monotonic() - started, 2))
        sums["files"] += 1
    sums["cpu_minutes"] = round(sums["cpu_minutes"] + (time.process_time() - began) / 60, 2)


def too_long(*_: object) -> None:
    raise TooLongError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="of CPU time for each kind")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from valid_files import FORMATS

    from vaescreen.environment import command_line, environment
    from vaescreen.storage import write_json

    signal.signal(signal.SIGALRM, too_long)
    results: dict[str, dict[str, Any]] = {
        kind: {"cpu_minutes": 0.0, "files": 0, "images": 0, "slowest_s": 0.0, "findings": []}
        for kind in FORMATS
    }
    record: dict[str, Any] = {"formats": results, "command": command_line(), "environment": environment()}
    with tempfile.TemporaryDirectory() as folder:
        while min(sums["cpu_minutes"] for sums in results.values()) < options.minutes:
            for kind, sums in results.items():
                read_damaged(kind, sums, Path(folder))
                print(f"{kind}: {sums}", flush=True)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            record["peak_memory_mb"] = peak // (2**20 if sys.platform == "darwin" else 1024)
            if options.out:
                write_json(options.out, record)
    if record["peak_memory_mb"] > MEMORY_MB or any(sums["findings"] for sums in results.values()):
        raise SystemExit("something was found")


if __name__ == "__main__":
    main()
