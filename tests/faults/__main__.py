"""All faults, one line each: `python -m tests.faults`, or with words that their names hold."""

import sys
import time
from pathlib import Path

import pytest


class Lines:
    """Prints what became of each test when it is over."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.outcome != "passed" and report.when == "setup"):
            name = report.nodeid.rpartition("faults/")[2].replace("::test_", ": ").replace("_", " ")
            print(f"{report.outcome:8}{report.duration:7.1f} s  {name}", flush=True)
            if report.failed:
                print(report.longreprtext, file=sys.stderr, flush=True)


if __name__ == "__main__":
    words = ["-k", " or ".join(sys.argv[1:])] if sys.argv[1:] else []
    began = time.monotonic()
    code = pytest.main(
        [str(Path(__file__).parent), "-m", "slow or not slow", "-p", "no:terminal", *words], plugins=[Lines()]
    )
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(code)
