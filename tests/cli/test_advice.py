"""Every mend that the reading code advises is there and works: the advice is collected from its messages and run."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_dicom
from PIL import Image
from typer.testing import CliRunner

import vaescreen.images
from vaescreen.cli import app

PACKAGE = Path(vaescreen.images.__file__).parent
NOISE = np.random.default_rng(0).integers(0, 256, (16, 24, 24), dtype=np.uint8)


def messages() -> list[str]:
    """All texts of the room but docstrings."""
    texts = []
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
        ]
    return texts


def pictures(folder: Path, divided_by: int = 1, **elements: object) -> None:
    for number, pixels in enumerate(NOISE[:6]):
        write_dicom(
            folder / f"{number}.dcm", pixels // divided_by, **({"PatientID": f"P{number}"} | elements)
        )


def few_grays(folder: Path) -> None:
    pictures(folder, 16)


def one_patient(folder: Path) -> None:
    pictures(folder, PatientID="ANONYMOUS")


def segmentations(folder: Path) -> None:
    pictures(folder, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")


def numbered(folder: Path) -> None:
    for number, pixels in enumerate(NOISE):
        Image.fromarray(pixels).save(folder / f"{'abcd'[number // 4]}_{number % 4}.png")


def show(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(
        app, ["data", "show", "--size", "24", *map(str, arguments)], env={"COLUMNS": "400"}
    )
    return done.exit_code, " ".join(done.output.split())


ADVICE: dict[str, list[tuple[Callable[[Path], None], str, list[str]]]] = {
    "--window": [
        (few_grays, "give --window auto, or --window LOW,HIGH", ["--window", "auto"]),
        (few_grays, "give --window auto, or --window LOW,HIGH", ["--window", "0,15"]),
    ],
    "--keep-labels": [(segmentations, "give --keep-labels", ["--keep-labels"])],
    "--patients": [
        (one_patient, "--patients '(.+)'", ["--patients", "(.+)"]),
        (one_patient, "--patients REGEX", ["--patients", r"(\d)\.dcm"]),
        (numbered, "--patients REGEX", ["--patients", r"([a-d])_"]),
    ],
    "--private": [],
}
"""By option: a folder, what is said of it, and the mend."""


def test_every_option_that_a_message_names_is_tried_here() -> None:
    named = {option for text in messages() for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    assert named - {"--files"} == set(ADVICE)


@pytest.mark.parametrize(
    ("make", "said", "mend"), [case for cases in ADVICE.values() for case in cases], ids=str
)
def test_what_is_advised_works(
    tmp_path: Path, make: Callable[[Path], None], said: str, mend: list[str]
) -> None:
    make(tmp_path)
    _, before = show(tmp_path)
    assert said in before
    code, after = show(tmp_path, *mend)
    assert code == 0, after
    assert said not in after


def test_the_manifest_that_is_advised_works(tmp_path: Path) -> None:
    one_patient(tmp_path)
    assert show(tmp_path)[0] == 1
    splits = ["train", "train", "train", "val", "test", "test"]
    rows = [f"{number}.dcm,{split},{number}" for number, split in enumerate(splits)]
    (tmp_path / "manifest.csv").write_text("\n".join(["file,split,patient_id", *rows]))
    assert show(tmp_path)[0] == 0


@pytest.mark.parametrize(
    "command",
    ["data show", "data preview", "score", "rank", "compare", "adapt", "reference baseline"],
)
def test_the_options_advised_are_on_every_command_that_takes_data(command: str) -> None:
    printed = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "300"}).output
    assert [option for option in ADVICE if option not in printed] == []


def test_every_command_that_a_message_names_is_there() -> None:
    named = {name for text in messages() for name in re.findall(r"`vaescreen ((?:[a-z]+ ?)+)", text)}
    assert named
    for command in named:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


def test_the_way_out_of_a_private_error_is_the_same_command_in_the_open(tmp_path: Path) -> None:
    one_patient(tmp_path)
    code, hidden = show(tmp_path, "--private")
    assert (code, "`vaescreen data show` without --private" in hidden) == (1, True)
    assert "ANONYMOUS" in show(tmp_path)[1]
