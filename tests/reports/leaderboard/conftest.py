"""Simulated result files; what was made of them is remembered from test to test, as it is from run to run."""

from pathlib import Path

import pytest
from simulated import simulated, write_simulated

from vaescreen.reports.leaderboard.publish import publish

__all__ = ["simulated"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests of these pages."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _one_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(cache))


@pytest.fixture(scope="session")
def published(tmp_path_factory, cache):
    """Pages of the simulated results as they are, drawn once."""
    pytest.importorskip("altair", reason="figures need the extra `report`")
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(cache))
        publish(write_simulated(folder / "results").folder, folder / "out")
    return folder / "out"
