"""`vaescreen data preview` as a user runs it."""

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image
from small import write_pictures

pytest.importorskip("matplotlib")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    return write_pictures(tmp_path / "clinic", count=6, side=128)


def test_a_png_sheet_is_written_and_the_findings_are_printed(run, folder, tmp_path) -> None:
    result = run("data", "preview", folder, "--out", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert (sheet.format, sheet.width) == ("PNG", 1650)
    assert "clinic: 6 images (real images)" in result.stdout
    assert "near-duplicates" in result.stdout
    assert "test: 1 images, 1 patients" in result.stdout


def test_an_html_sheet_needs_nothing_from_elsewhere(run, folder, tmp_path) -> None:
    (folder / "picture-05.png").write_bytes((folder / "picture-00.png").read_bytes())
    for number, picture in enumerate(sorted(folder.iterdir())):
        place = folder / ("test" if number == 5 else "train")
        place.mkdir(exist_ok=True)
        picture.rename(place / picture.name)
    result = run(
        "data", "preview", folder, "--out", tmp_path / "sheet.html", *("--name", "<b>&x", "--format", "json")
    )
    payload = json.loads(result.stdout)
    page = (tmp_path / "sheet.html").read_text()
    assert not re.search(r"<script|<link|https?://|src=\"(?!data:)", page)
    assert "<b>&x" not in page
    assert "<h1>&lt;b&gt;&amp;x" in page
    assert "test/picture-05 = train/picture-00" in page
    images = re.findall(r'src="data:image/([a-z+]+);base64,([^"]+)"', page)
    assert [kind for kind, _ in images] == ["png", "svg+xml"]
    with Image.open(io.BytesIO(b64decode(images[0][1]))) as pictures:
        pictures.load()
    assert {each["check"] for each in payload["findings"]} >= {"JPEG blocks", "near-duplicates"}
    assert [pair["distance"] for pair in payload["duplicates"]] == [0]
    assert payload["warnings"][0].startswith("near-duplicates")


@pytest.mark.parametrize("kind", ["png", "html"])
def test_a_private_sheet_has_no_picture_and_no_name(run, folder, tmp_path, kind) -> None:
    sheets = {}
    for private in ((), ("--private",)):
        out = tmp_path / f"sheet{len(private)}.{kind}"
        result = run("data", "preview", folder, "--out", out, *private)
        assert result.exit_code == 0, result.output
        sheets[bool(private)] = (out.read_bytes(), result.stdout + result.stderr)
    page, printed = sheets[True]
    for told in (page.decode(errors="replace"), printed):
        assert not any(word in told for word in ("picture-", "clinic"))
    assert "clinic" in sheets[False][1]
    if kind == "html":
        assert [sheets[private][0].count(b"image/png") for private in (False, True)] == [1, 0]
    else:
        heights = [Image.open(io.BytesIO(sheets[private][0])).height for private in (False, True)]
        assert heights[1] < heights[0]


def test_phantoms_are_shown_too(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    counts = ("--train-images", "2", "--test-images", "2", "--examples", "1")
    result = run("data", "preview", "chest", "--out", tmp_path / "sheet.png", *counts)
    assert "generated, not of patients" in result.stdout


def test_another_kind_of_file_is_refused_before_work(run, tmp_path) -> None:
    result = run("data", "preview", tmp_path / "absent", "--out", tmp_path / "sheet.pdf")
    assert result.exit_code == 1
    assert "neither .html nor .png" in result.stderr
