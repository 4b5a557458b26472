"""`vaescreen data preview` as a user runs it."""

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image
from small import write_pictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    return write_pictures(tmp_path / "clinic", count=6, side=128)


def test_findings_are_printed_without_a_page(run, folder) -> None:
    result = run("data", "preview", folder)
    assert result.exit_code == 0, result.output
    assert "clinic: 6 images (real images)" in result.stdout
    assert "near-duplicates" in result.stdout
    assert "test: 1 images, 1 patients" in result.stdout


@pytest.mark.parametrize(("size", "shown"), [("64", (64, 64)), ("native", (100, 76))])
def test_the_size_is_asked_for_as_by_other_commands(run, tmp_path, monkeypatch, size, shown) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    folder = write_pictures(tmp_path / "clinic", count=6, side=103)
    for picture in folder.iterdir():
        Image.open(picture).crop((0, 0, 103, 79)).save(picture)
    page = tmp_path / "sheet.html"
    result = run("data", "preview", folder, "--size", size, "--report", page)
    assert result.exit_code == 0, result.output
    images = re.findall(r'src="data:image/[a-z+]+;base64,([^"]+)"', page.read_text())
    assert Image.open(io.BytesIO(b64decode(images[0]))).size == shown
    assert run("data", "preview", folder, "--size", "12").exit_code == 1


def test_a_page_needs_nothing_from_elsewhere(run, folder, tmp_path) -> None:
    (folder / "picture-05.png").write_bytes((folder / "picture-00.png").read_bytes())
    for number, picture in enumerate(sorted(folder.iterdir())):
        place = folder / ("test" if number == 5 else "train")
        place.mkdir(exist_ok=True)
        picture.rename(place / picture.name)
    result = run(
        *(
            "data",
            "preview",
            folder,
            "--report",
            tmp_path / "sheet.html",
            "--name",
            "<b>&x",
            "--format",
            "json",
        )
    )
    payload = json.loads(result.stdout)
    page = (tmp_path / "sheet.html").read_text()
    assert not re.search(r"src=\"(?!data:)|@import|<script src", page)
    assert "<b>&x" not in page
    assert "<h1>&lt;b&gt;&amp;x" in page
    assert "test/picture-05 = train/picture-00" in page
    images = re.findall(r'src="data:image/([a-z+]+);base64,([^"]+)"', page)
    assert [kind for kind, _ in images] == ["webp", "webp"]
    sizes = [Image.open(io.BytesIO(b64decode(data))).size for _, data in images]
    assert sizes == [(128, 128), (32, 32)]
    assert {each["check"] for each in payload["findings"]} >= {"JPEG blocks", "near-duplicates"}
    assert [pair["distance"] for pair in payload["duplicates"]] == [0]
    kinds = ("patients test/picture-05, train/picture-00 have 1 image in common", "near-duplicates")
    assert [any(each.startswith(kind) for each in payload["warnings"]) for kind in kinds] == [True, True]


def test_a_private_page_has_no_picture_and_no_name(run, folder, tmp_path) -> None:
    pages = {}
    for private in ((), ("--private",)):
        out = tmp_path / f"sheet{len(private)}.html"
        result = run("data", "preview", folder, "--report", out, *private)
        assert result.exit_code == 0, result.output
        pages[bool(private)] = (out.read_text(), result.stdout + result.stderr)
    for told in pages[True]:
        assert not any(word in told for word in ("picture-", "clinic"))
    assert "clinic" in pages[False][1]
    assert [pages[private][0].count("data:image/webp") for private in (False, True)] == [2, 0]


def test_phantoms_are_shown_too(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    counts = ("--train-images", "2", "--test-images", "2", "--examples", "1")
    result = run("data", "preview", "chest", "--report", tmp_path / "sheet.html", *counts)
    assert "generated, not of patients" in result.stdout
    assert "generated, not of patients" in (tmp_path / "sheet.html").read_text()


def test_another_kind_of_file_is_refused_before_work(run, tmp_path) -> None:
    result = run("data", "preview", tmp_path / "absent", "--report", tmp_path / "sheet.pdf")
    assert result.exit_code == 2
    assert "ends in .html" in result.stderr
