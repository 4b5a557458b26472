"""Running commands in this process, on a small folder that is ranked once for all tests; all JSON meets its schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result
from commands import validator
from small import write_pictures, write_predictor, write_registry
from typer.testing import CliRunner

from vaescreen.cli import app

Run = Callable[..., Result]
CANDIDATES = ("pca-f16c4", "dct-f16c4")


class Ranked(NamedTuple):
    """Pictures that have been ranked: the arguments that did it, and what they printed."""

    arguments: tuple[str, ...]
    results: Path
    cache: Path
    printed: Result


def invoke(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if "json" in arguments and result.stdout.startswith("{"):
        printed = json.loads(result.stdout)
        validator(printed["command"]).validate(printed)
    return result


@pytest.fixture(scope="session")
def run() -> Run:
    return invoke


@pytest.fixture(scope="session")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Ranked:
    folder = tmp_path_factory.mktemp("ranked")
    pictures = write_pictures(folder / "pictures")
    cache, results = folder / "cache", folder / "results"
    registry = write_registry(folder, far="{hub: nobody/nothing, revision: main}")
    arguments = (
        *("rank", "--data", str(pictures), *CANDIDATES, "--registry", str(registry)),
        *("--name", "mine", "--results", str(results), "--processes", "1"),
        *("--predictor", str(write_predictor(folder))),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(cache))
        printed = invoke(*arguments, "--format", "json")
    return Ranked(arguments, results, cache, printed)
