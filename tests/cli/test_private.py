"""`--private` from end to end: what is written and printed does not know the names of files and patients."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from small import CODECS, write_pictures, write_predictor, write_registry

from vaescreen.images.privacy import KEY_FILE

SECRETS = ("mueller", "ward", "hospital", "kept-apart")
PATTERN = "^(mueller-[0-9])"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    folder = tmp_path / "hospital"
    write_pictures(folder / "ward")
    for number, picture in enumerate(sorted((folder / "ward").iterdir())):
        picture.rename(picture.with_name(f"mueller-{number % 6}-{number}.png"))
    (folder / "ward" / "mueller-0-broken.png").write_text("kept-apart")
    return folder


@pytest.fixture
def score(run, hospital: Path, tmp_path: Path, monkeypatch) -> Iterator[Callable[..., str]]:
    """Score two codecs with more options; give all that was printed."""
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    arguments = [
        *("score", *CODECS[:1], "--data", hospital, "--registry", write_registry(tmp_path / "registry")),
        *("--size", "64", "--results", tmp_path / "results", "--processes", "1", "--patients", PATTERN),
    ]

    def scored(*more: str) -> str:
        typed = [str(argument) for argument in (*arguments, *more)]
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


def test_nothing_that_is_written_or_printed_names_a_file(score, run, hospital, tmp_path) -> None:
    printed = score("--private", "--format", "json") + score("--private")
    shown = run("data", "show", hospital, "--size", "64", "--private", "--patients", PATTERN)
    known = ("--registry", write_registry(tmp_path / "registry"))
    checked = run("registry", "check", CODECS[0], *known, "--data", hospital, "--size", "64", "--private")
    for told in (printed, shown.stdout + shown.stderr, checked.stdout + checked.stderr):
        assert not [word for word in SECRETS if word in told.lower()]
    assert "1 file skipped" in shown.stdout
    for folder in ("results", "cache"):
        assert not [word for word in SECRETS if word in everything_in(tmp_path / folder)], folder
    key = (tmp_path / "config" / KEY_FILE).read_bytes()
    files = [path for folder in ("results", "cache") for path in (tmp_path / folder).rglob("*")]
    assert files
    assert not any(key in path.read_bytes() for path in files if path.is_file())
    assert key.hex() not in printed


def test_without_it_the_names_are_there(score, tmp_path) -> None:
    printed = score("--format", "json")
    assert "hospital" in printed
    written = everything_in(tmp_path / "results")
    assert [word for word in SECRETS if word in written] == ["mueller", "ward", "hospital"]


def test_pages_of_private_data_show_no_image_and_no_name(run, hospital, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    known = ("--registry", write_registry(tmp_path / "registry"), "--data", hospital, "--private")
    commands = {
        "rank": ("rank", CODECS[0], "--processes", "1", "--predictor", write_predictor(tmp_path)),
        "compare": ("compare", *CODECS[:2], "--size", "64", "--no-decompose", "--no-lpips"),
    }
    for name, command in commands.items():
        result = run(*command, *known, "--report", tmp_path / "pages" / f"{name}.html")
        assert result.exit_code == 0, result.output
        assert not [word for word in SECRETS if word in (result.stdout + result.stderr).lower()]
        assert "data:image" not in (tmp_path / "pages" / f"{name}.html").read_text()
    assert not [word for word in SECRETS if word in everything_in(tmp_path / "pages")]
