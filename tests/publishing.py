"""Publishing in a process of its own, which can be killed."""

import multiprocessing
import os
import time
from pathlib import Path

_FORKED = multiprocessing.get_context("forkserver")


def publish_in_child(results: Path, out: Path, cache: Path, seconds: float | None = None) -> float:
    """Publish one data set, or kill the process after so many seconds; say how long it lived."""
    _FORKED.set_forkserver_preload(["altair", "vaescreen.reports.leaderboard.publish"])
    child = _FORKED.Process(target=_publish, args=(results, out, cache))
    begun = time.monotonic()
    child.start()
    child.join(seconds)
    child.kill()
    child.join()
    return time.monotonic() - begun


def _publish(results: Path, out: Path, cache: Path) -> None:
    from vaescreen.reports.leaderboard.publish import publish

    os.environ["VAESCREEN_CACHE"] = str(cache)
    publish(results, out, data=["chest"])
