import json

from PIL import Image
from small import write_pictures


def test_list_names_the_phantoms(run) -> None:
    records = json.loads(run("data", "list", "--format", "json").stdout)["rows"]
    drawn = [record["data"] for record in records if record["kind"] == "phantom"]
    assert drawn == ["chest-phantom", "brain-phantom", "knee-phantom"]


def test_show_counts_describes_and_names_what_cannot_be_used(run, tmp_path) -> None:
    folder = write_pictures(tmp_path / "mine")
    (folder / "text.png").write_text("not an image")
    payload = json.loads(run("data", "show", folder, "--size", "32", "--format", "json").stdout)
    assert payload["name"] == "mine"
    assert payload["description"]["size"] == 32
    assert [entry["path"] for entry in payload["skipped"]] == ["text.png"]
    images = sum(count["images"] for count in payload["description"]["counts"].values())
    assert images == 12

    shown = run("data", "show", folder, "--size", "32").stdout
    assert "1 file skipped" in shown
    assert "text.png: " in shown


def test_show_at_native_size_names_images_that_are_too_small(run, tmp_path) -> None:
    folder = write_pictures(tmp_path / "mine", side=33)
    Image.open(folder / "picture-00.png").resize((9, 80)).save(folder / "narrow.png")
    payload = json.loads(run("data", "show", folder, "--size", "native", "--format", "json").stdout)
    assert payload["description"]["size"] is None
    assert payload["skipped"] == [
        {"path": "narrow.png", "reason": "9x80 pixels; at native size at least 16x16 are needed"}
    ]
    assert run("data", "show", folder, "--size", "huge").exit_code == 2


def test_show_takes_patients_from_the_pattern(run, tmp_path) -> None:
    folder = write_pictures(tmp_path / "mine")
    arguments = ("data", "show", folder, "--size", "32", "--patients", r"picture-(\d)", "--format", "json")
    counts = json.loads(run(*arguments).stdout)["description"]["counts"]
    assert sum(count["patients"] for count in counts.values()) == 2


def test_show_of_phantoms_says_that_they_are_generated(run) -> None:
    arguments = ("data", "show", "brain", "--size", "32", "--train-images", "2", "--test-images", "2")
    assert "brain-phantom (generated, not patients)" in run(*arguments).stdout


def test_show_warns_where_patients_were_not_found(run, tmp_path) -> None:
    folder = write_pictures(tmp_path / "mine", count=4)
    for number, picture in enumerate(sorted(folder.iterdir())):
        picture.rename(folder / f"{'ab'[number % 2]}-{number}.png")
    shown = run("data", "show", folder, "--size", "32").stdout
    assert "Warning: patients not found, and 4 files have names in 2 groups" in shown
    payload = json.loads(run("data", "show", folder, "--size", "32", "--format", "json").stdout)
    assert len(payload["description"]["warnings"]) == 1
    told = run("data", "show", folder, "--size", "32", "--patients", "([ab])-").stdout
    assert "Warning" not in told


def test_show_prints_words_and_no_python(run, tmp_path) -> None:
    folder = write_pictures(tmp_path / "pictures")
    shown = run("data", "show", folder, "--size", "32").stdout
    assert "gray: image range full scale" in shown
    for sign in ("{", "}", "None", "True", "['"):
        assert sign not in shown
