"""A ranking that is killed or interrupted loses nothing that was measured, and ends as if it never had been."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small import CODECS, hear_interrupts, write_pictures, write_registry

PATIENCE = 200

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def start(pictures: Path, registry: Path):
    """Start `vaescreen rank` as a process group of its own, which does not outlive the test."""
    children: list[subprocess.Popen[str]] = []

    def begin(*options: str) -> "subprocess.Popen[str]":
        command = ["rank", "--data", str(pictures), *CODECS, "--registry", str(registry), "--format", "json"]
        child = subprocess.Popen(
            [sys.executable, "-c", "from vaescreen.cli import main; main()", *command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.fixture(scope="module")
def undisturbed(
    pictures: Path, registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Rows of a run that nothing happens to."""
    import vaescreen

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        ranking = vaescreen.rank(
            pictures, CODECS, at=vaescreen.Workplace(registry, machine=vaescreen.Machine(1))
        )
    return without_times(ranking.as_json())


def without_times(payload: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "ms_per_image"} for row in payload["rows"]]


def cards(results: Path) -> list[Path]:
    return sorted(results.rglob("*.json"))


def wait_for_a_card(results: Path, child: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + PATIENCE
    while not cards(results):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def finish(child: "subprocess.Popen[str]") -> dict[str, Any]:
    printed, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, errors
    payload: dict[str, Any] = json.loads(printed)
    return payload


def test_killed_in_the_middle_it_goes_on_from_there(start: Start, undisturbed, tmp_path) -> None:
    results = tmp_path / "results"
    options = ("--results", str(results), "--processes", "2")
    first = start(*options)
    wait_for_a_card(results, first)
    first.kill()
    first.wait()
    measured = {card: card.read_bytes() for card in cards(results)}

    assert without_times(finish(start(*options))) == undisturbed
    assert {card: card.read_bytes() for card in measured} == measured


def test_interrupted_it_says_how_to_go_on(start: Start, undisturbed, tmp_path) -> None:
    results = tmp_path / "results"
    options = ("--results", str(results), "--processes", "1")
    first = start(*options)
    wait_for_a_card(results, first)
    first.send_signal(signal.SIGINT)
    printed, errors = first.communicate(timeout=PATIENCE)
    assert first.returncode == 130
    assert printed == ""
    assert errors.splitlines()[-1] == "interrupted; run the same command again to go on"
    assert without_times(finish(start(*options))) == undisturbed
