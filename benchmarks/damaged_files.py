"""Files damaged at random for as long as is asked for: each gives images in [0, 1] or one reason, ever.

python benchmarks/damaged_files.py --minutes 10 --out benchmarks/results/damaged_files.json

Hypothesis damages the small valid files of `tests/valid_files.py` as `tests/damage.py` says, the formats in turn, a
new seed each round. A finding is another exception than `DataError`, an image that is not one, or a file that takes
longer than 20 s; the peak memory of the process is recorded, and above 2 GB is a finding too.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
MEMORY_MB = 2048
SECONDS_A_FILE = 20
FILES_A_ROUND = 500


def damage(kind: str, round_number: int, folder: Path) -> dict[str, Any]:
    """Read a round of damaged files of one format."""
    from damage import look_at, mutated
    from hypothesis import HealthCheck, given, seed, settings

    files, images, slowest = 0, 0, 0.0

    @seed(round_number)
    @settings(
        max_examples=FILES_A_ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(mutated(kind))
    def read(file: tuple[str, bytes]) -> None:
        nonlocal files, images, slowest
        name, data = file
        (folder / name).write_bytes(data)
        began = time.monotonic()
        images += look_at(folder / name)
        slowest = max(slowest, time.monotonic() - began)
        files += 1

    finding = None
    try:
        read()
    except Exception as error:
        finding = f"{type(error).__name__}: {error}"[:300]
    return {"files": files, "images": images, "slowest_s": round(slowest, 2), "finding": finding}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="for all formats together")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from valid_files import FORMATS

    from vaescreen.environment import command_line, environment
    from vaescreen.storage import write_json

    end, rounds = time.monotonic() + 60 * options.minutes, 0
    results: dict[str, dict[str, Any]] = {
        kind: {"files": 0, "images": 0, "slowest_s": 0.0, "findings": []} for kind in FORMATS
    }
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            rounds += 1
            for kind, sums in results.items():
                found = damage(kind, rounds, Path(folder))
                sums["files"] += found["files"]
                sums["images"] += found["images"]
                sums["slowest_s"] = max(sums["slowest_s"], found["slowest_s"])
                sums["findings"] += [found["finding"]] if found["finding"] else []
                print(f"round {rounds}, {kind}: {found}", flush=True)
                if time.monotonic() > end:
                    break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 1024)
    record = {
        "formats": results,
        "rounds": rounds,
        "minutes": options.minutes,
        "peak_memory_mb": peak,
        "command": command_line(),
        "environment": environment(),
    }
    if options.out:
        write_json(options.out, record)
    slow = any(sums["slowest_s"] > SECONDS_A_FILE for sums in results.values())
    if slow or peak > MEMORY_MB or any(sums["findings"] for sums in results.values()):
        raise SystemExit("something was found")


if __name__ == "__main__":
    main()
