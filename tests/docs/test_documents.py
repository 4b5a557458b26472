"""Documents say what is: links lead somewhere, every command can be typed, and those that are quick are run."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import commands, options_of, parse
from small import write_pictures
from typer.testing import CliRunner

from vaescreen.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`(vaescreen [^`]+)`")

QUICK = {
    "data show": ("data", "show", "path/to/folder"),
    "data preview": ("data", "preview", "path/to/folder", "--report", "sheet.html"),
    "predictor show": ("predictor", "show"),
    "reference recipes": ("reference", "recipes"),
    "registry show": ("registry", "show", "medical-f8c4"),
    "registry add": (
        "registry",
        "add",
        "./my-vae",
        "--licence",
        "MIT",
        "--domain",
        "medical",
        "--training-data",
        "chest X-rays",
    ),
    "registry check": ("registry", "check", "my-vae"),
}
"""Commands of the documents that are run here, as they stand there, with pictures and weights of a minute's making."""
NOT_RUN = {
    "adapt": "trains",
    "compare": "minutes of statistics; tests/cli/test_compare.py",
    "predictor fit": "writes what the package ships; tests/cli/test_every_command.py",
    "predictor validate": "fits hundreds of predictors; tests/cli/test_predictor.py",
    "publish": "takes all results; `make check`",
    "rank": "minutes of probes; tests/cli/test_rank.py",
    "reference ablate": "trains; tests/cli/test_reference.py",
    "reference baseline": "trains a regression; tests/cli/test_baseline.py",
    "reference plan": "times trainings; tests/cli/test_reference.py",
    "reference train": "trains; tests/cli/test_reference.py",
    "reproduce": "fits probes; tests/cli/test_reproduce.py",
    "score": "fits probes; tests/cli/test_score.py",
    "submit": "needs weights on the hub; tests/ranking/test_submission.py",
}
"""Why the others are not; all are parsed against the real options."""
OTHER_PROGRAMS = {
    "accelerate": "needs several GPUs",
    "pip": "changes the environment",
    "pre-commit": "changes the clone",
    "ray": "needs a cluster",
    "srun": "needs SLURM",
}


class Line(NamedTuple):
    document: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.number}"


def command_lines() -> Iterator[Line]:
    """Lines of blocks of code that begin with a program; continued ones joined, and parts of `&&` apart."""
    for document in DOCUMENTS:
        fenced, whole, began = False, "", 0
        for number, text in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            if text.startswith("```"):
                fenced = not fenced
            elif fenced or text.startswith("    "):
                began = began if whole else number
                whole += text.strip()
                if whole.endswith("\\"):
                    whole = whole[:-1]
                    continue
                for part in re.split(r"\s+&&\s+", whole):
                    if re.match(r"(\.venv/bin/)?(vaescreen|python|make|pip|ray|accelerate|srun)( |$)", part):
                        yield Line(document, began, part)
                whole = ""


LINES = list(command_lines())
OURS = [line for line in LINES if re.match(r"(\.venv/bin/)?vaescreen ", line.text)]


def test_the_documents_have_commands() -> None:
    assert len(OURS) > 60
    assert {line.document.name for line in OURS} >= {
        "README.md",
        "CONTRIBUTING.md",
        "references.md",
        "commands.md",
    }


@pytest.mark.parametrize("line", OURS, ids=str)
def test_a_command_can_be_typed_as_it_stands(line: Line, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = parse(line.text)
    assert line.document.name == "commands.md" or name in QUICK or name in NOT_RUN, "run it, or say why not"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_command_in_the_text_exists_with_its_options(document: Path) -> None:
    for span in _SPAN.findall(document.read_text(encoding="utf-8")):
        words = shlex.split(span)[1:]
        name = next((each for length in (2, 1) if (each := " ".join(words[:length])) in commands()), None)
        groups = {each.partition(" ")[0] for each in commands() if " " in each}
        assert name or words[0] in groups or words[0] in ("COMMAND", "--help"), span
        if name:
            given = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
            assert given <= options_of(commands()[name]).keys(), span


@pytest.mark.parametrize("line", [line for line in LINES if line not in OURS], ids=str)
def test_other_programs_are_there_or_said_why_not(line: Line) -> None:
    words = shlex.split(line.text, comments=True)
    program = words[0].rpartition("/")[2]
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    elif program == "python":
        place = words[2].replace(".", "/") if words[1] == "-m" else words[1].removesuffix(".py")
        sources = [ROOT / f"{place}.py", ROOT / place / "__main__.py"]
        source = next(path for path in sources if path.is_file())
        written = "".join(path.read_text(encoding="utf-8") for path in source.parent.glob("*.py"))
        for option in (word for word in words if word.startswith("--")):
            assert f'"{option}"' in written, f"{source} has no {option}"
    else:
        assert program in OTHER_PROGRAMS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link in _LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}, (
                link
            )


def test_the_quick_ones_do_what_the_documents_say(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("path/to/folder"), count=6)
    shutil.copytree(ROOT / "vaescreen/autoencoders/bundled/medical-f4c4", "my-vae")
    written = [line.text.removeprefix(".venv/bin/") for line in OURS]
    for name, command in QUICK.items():
        assert any(shlex.split(text, comments=True)[1:] == list(command) for text in written), name
        result = CliRunner().invoke(app, list(command))
        assert result.exit_code == 0, result.output
    assert Path("sheet.html").is_file()
