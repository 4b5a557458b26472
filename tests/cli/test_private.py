"""`--private` from end to end: what is written and printed does not know the names of files and patients."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small import CODECS, write_pictures, write_predictor, write_registry

from vaescreen.images.privacy import KEY_FILE

SECRETS = ("mueller", "ward", "hospital", "kept-apart")
PATTERN = "^(mueller-[0-9])"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Where everything of these tests lies: a score card that one of them made is taken by the next."""
    return tmp_path_factory.mktemp("private")


@pytest.fixture(scope="module")
def hospital(place: Path) -> Path:
    folder = place / "hospital"
    write_pictures(folder / "ward")
    for number, picture in enumerate(sorted((folder / "ward").iterdir())):
        picture.rename(picture.with_name(f"mueller-{number % 6}-{number}.png"))
    (folder / "ward" / "mueller-0-broken.png").write_text("kept-apart")
    return folder


@pytest.fixture
def known(hospital: Path, place: Path, monkeypatch) -> tuple[str | Path, ...]:
    """Images and registry as options, cache and configuration beside them."""
    monkeypatch.setenv("VAESCREEN_CACHE", str(place / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(place / "config"))
    return ("--data", hospital, "--registry", write_registry(place / "registry"), "--patients", PATTERN)


@pytest.fixture
def score(run, known, monkeypatch) -> Callable[..., str]:
    """Score a codec as recipe compact sees the images, with more options; give all that was printed."""

    def scored(*more: str | Path) -> str:
        arguments = ("score", CODECS[0], *known, "--recipe", "compact", "--processes", "1", *more)
        typed = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["vaescreen", *typed])
        result = run(*typed)
        assert result.exit_code == 0, result.output
        return result.stdout + result.stderr

    return scored


def everything_in(folder: Path) -> str:
    """Names and content of all files, tables decoded, in lower case."""
    texts = []
    for path in sorted(folder.rglob("*")):
        texts.append(path.relative_to(folder).as_posix())
        if path.is_file():
            texts.append(path.read_bytes().decode(errors="replace"))
        if path.suffix == ".parquet":
            texts.append(pd.read_parquet(path).to_csv())
    return "\n".join(texts).lower()


def test_nothing_that_is_written_or_printed_names_a_file(score, run, hospital, known, place) -> None:
    kept = ("--results", place / "results")
    printed = score("--private", *kept, "--format", "json") + score("--private", *kept)
    shown = run("data", "show", hospital, "--size", "64", "--private", "--patients", PATTERN)
    checked = run("registry", "check", CODECS[0], *known[:4], "--size", "64", "--private")
    for told in (printed, shown.stdout + shown.stderr, checked.stdout + checked.stderr):
        assert not [word for word in SECRETS if word in told.lower()]
    assert "1 file skipped" in shown.stdout
    for folder in ("results", "cache"):
        assert not [word for word in SECRETS if word in everything_in(place / folder)], folder
    key = (place / "config" / KEY_FILE).read_bytes()
    files = [path for folder in ("results", "cache") for path in (place / folder).rglob("*")]
    assert files
    assert not any(key in path.read_bytes() for path in files if path.is_file())
    assert key.hex() not in printed


def test_pages_of_private_data_show_no_image_and_no_name(run, known, place, tmp_path) -> None:
    commands = {
        "rank": (
            *("rank", CODECS[0], "--processes", "1", "--results", place / "results"),
            *("--predictor", write_predictor(place)),
        ),
        "compare": ("compare", *CODECS[:2], "--size", "64", "--no-decompose", "--no-lpips"),
    }
    for name, command in commands.items():
        result = run(*command, *known, "--private", "--report", tmp_path / f"{name}.html")
        assert result.exit_code == 0, result.output
        assert not [word for word in SECRETS if word in (result.stdout + result.stderr).lower()]
        assert "data:image" not in (tmp_path / f"{name}.html").read_text()
        assert not [word for word in SECRETS if word in everything_in(tmp_path)]


def test_without_it_the_names_are_there(score, tmp_path) -> None:
    printed = score("--results", tmp_path / "open", "--format", "json")
    assert "hospital" in printed
    written = everything_in(tmp_path / "open")
    assert [word for word in SECRETS if word in written] == ["mueller", "ward", "hospital"]
