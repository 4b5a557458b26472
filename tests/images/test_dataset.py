"""Streaming, fingerprint, memo and limits of a data set."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.storage import digest

Write = Callable[..., Path]

NAMES = [f"train/{n}.png" for n in range(7)] + ["val/1.png"] + [f"test/{n}.png" for n in range(3)]


def test_batches_deliver_the_pixels_of_the_files_in_the_order_of_ids(write_images: Write) -> None:
    folder = write_images(*NAMES)
    data = open_data(folder, size=32)
    batches = list(data.batches("train", 3))
    assert [len(batch.ids) for batch in batches] == [3, 3, 1]
    assert sum((batch.ids for batch in batches), ()) == data.ids("train")
    assert sum((batch.patients for batch in batches), ()) == data.patients("train")
    for batch in batches:
        assert batch.images.dtype == torch.float32
        for image, name in zip(batch.images, batch.ids, strict=True):
            with Image.open(folder / f"{name}.png") as file:
                np.testing.assert_array_equal(image[0], np.asarray(file, np.float32) / np.float32(255))


def test_images_do_not_depend_on_the_batch_size(write_images: Write) -> None:
    data = open_data(write_images(*NAMES), size=24)
    one = torch.cat([batch.images for batch in data.batches("train", 1)])
    many = torch.cat([batch.images for batch in data.batches("train", 100)])
    torch.testing.assert_close(one, many, atol=0, rtol=0)


def test_native_sizes_may_differ_and_share_no_batch(write_images: Write) -> None:
    write_images("train/1.png", "train/2.png", "test/1.png")
    folder = write_images("train/3.png", "train/4.png", side=45)
    data = open_data(folder, size=None)
    assert [tuple(batch.images.shape) for batch in data.batches("train", 8)] == [
        (2, 1, 32, 32),
        (2, 1, 45, 45),
    ]
    assert data.size is None


def test_the_fingerprint_is_of_content_and_not_of_place_or_time(write_images: Write, tmp_path: Path) -> None:
    folder = write_images(*NAMES)
    fingerprint = open_data(folder, size=32).fingerprint
    copy = Path(shutil.copytree(folder, tmp_path / "elsewhere", copy_function=shutil.copyfile))
    assert open_data(copy, size=32).fingerprint == fingerprint

    with Image.open(copy / "test" / "1.png") as file:
        pixels = np.array(file)
    pixels[5, 7] ^= 1
    Image.fromarray(pixels).save(copy / "test" / "1.png")
    assert open_data(copy, size=32).fingerprint != fingerprint


def test_the_fingerprint_covers_size_split_id_and_patient(write_images: Write) -> None:
    folder = write_images("a1.png", "a2.png", "b1.png", "c1.png")

    def fingerprint(*rows: str) -> str:
        (folder / "manifest.csv").write_text("\n".join(["file,split,patient_id", *rows]))
        return open_data(folder, size=32).fingerprint

    rows = ["a1.png,train,a", "a2.png,train,a", "b1.png,val,b", "c1.png,test,c"]
    first = fingerprint(*rows)
    assert fingerprint(*reversed(rows)) == first
    assert fingerprint(*rows[:2], "b1.png,test,b", "c1.png,val,c") != first
    assert fingerprint(*rows[:3], "c1.png,test,d") != first
    assert fingerprint(*rows) == first
    assert open_data(folder, size=24).fingerprint != first
    (folder / "c1.png").rename(folder / "c2.png")
    assert fingerprint(*rows[:3], "c2.png,test,c") != first


def memo_lines(memo: Path) -> list[list[str | None]]:
    return [json.loads(line) for line in memo.read_text().split("\n") if line]


def test_a_second_opening_recalls_the_first(write_images: Write, cache: Path) -> None:
    """The memo is the proof: what is changed in it comes back, so nothing was decoded again."""
    folder = write_images(*NAMES)
    (folder / "train" / "bad.png").write_text("no image")
    first = open_data(folder, size=32)
    (memo,) = (cache / "data").iterdir()
    lines = memo_lines(memo)
    assert len(lines) == len(NAMES) + 1
    assert open_data(folder, size=32).fingerprint == first.fingerprint
    changed = [[stamp, pixels and pixels[::-1], *rest] for stamp, pixels, *rest, _ in lines]
    memo.write_text("\n".join(json.dumps([*line, lines[0][-1]]) for line in changed))
    assert open_data(folder, size=32).fingerprint == first.fingerprint, "damaged lines are not believed"
    memo.write_text("\n".join(json.dumps([*line, digest(line)]) for line in changed))

    second = open_data(folder, size=32)
    assert second.fingerprint != first.fingerprint
    assert second.skipped == first.skipped
    assert second.ids("train") == first.ids("train")
    assert second.description == first.description


def test_only_what_changed_is_looked_at_again(write_images: Write, cache: Path) -> None:
    folder = write_images(*NAMES)
    first = open_data(folder, size=32)
    (memo,) = (cache / "data").iterdir()
    Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(folder / "test" / "1.png")
    assert open_data(folder, size=32).fingerprint != first.fingerprint
    assert len(memo_lines(memo)) == len(NAMES) + 1
    open_data(folder, size=24)
    assert len(list((cache / "data").iterdir())) == 2


def test_an_interrupted_opening_goes_on_where_it_was(write_images: Write, cache: Path) -> None:
    folder = write_images(*NAMES)

    def interrupt(doing: str, done: int, total: int) -> None:
        if (doing, done) == ("reading images", 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_data(folder, size=32, on_progress=interrupt)
    (memo,) = (cache / "data").iterdir()
    assert len(memo_lines(memo)) == 5
    assert open_data(folder, size=32).ids("train") == tuple(f"train/{n}" for n in range(7))
    assert len(memo_lines(memo)) == len(NAMES), "none was read twice"


def test_progress_tells_every_image_that_is_looked_at(write_images: Write) -> None:
    folder = write_images(*NAMES)
    (folder / "train" / "0.png").write_text("no image")
    told: list[tuple[str, int, int]] = []
    open_data(folder, size=32, on_progress=lambda *step: told.append(step))
    assert told == [
        *(("listing files", number, len(NAMES)) for number in range(1, len(NAMES) + 1)),
        *(("reading images", number, len(NAMES)) for number in range(1, len(NAMES) + 1)),
    ]
    told.clear()
    open_data(folder, size=32, train_images=2, on_progress=lambda *step: told.append(step))
    assert told[-1] == ("reading images", 6, 6)


def test_a_memo_of_files_that_are_gone_is_tidied(write_images: Write, cache: Path) -> None:
    folder = write_images(*NAMES)
    open_data(folder, size=32)
    for name in NAMES[1:7]:
        (folder / name).unlink()
    open_data(folder, size=32)
    (memo,) = (cache / "data").iterdir()
    assert len(memo_lines(memo)) == len(NAMES) - 6


@pytest.mark.parametrize("damage", ["", "[]", "{}", '["torn', "[1, 2, 3]", "\0\0", '["x", null, null]'])
def test_a_damaged_memo_is_made_again(write_images: Write, cache: Path, damage: str) -> None:
    folder = write_images(*NAMES)
    fingerprint = open_data(folder, size=32).fingerprint
    (memo,) = (cache / "data").iterdir()
    memo.write_text(damage)
    assert open_data(folder, size=32).fingerprint == fingerprint
    assert open_data(folder, size=32).fingerprint == fingerprint


def test_limits_take_whole_patients_in_seeded_order(write_images: Write) -> None:
    folder = write_images(*(f"{patient:02d}_{image}.png" for patient in range(20) for image in range(2)))
    options = {"size": 32, "patient_pattern": r"^(\d+)_"}
    everything = open_data(folder, **options)
    data = open_data(folder, **options, train_images=5, test_images=2)
    assert len(data.ids("train")) == 5
    assert sorted(data.patients("train").count(patient) for patient in set(data.patients("train"))) == [
        1,
        2,
        2,
    ]
    assert len(set(data.patients("test"))) == 1
    assert set(data.ids("train")) < set(everything.ids("train"))
    assert data.ids("val") == everything.ids("val")
    assert data.description["limits"]["images"] == {"train": 5, "test": 2}
    assert data.description["counts"]["train"] == {"images": 5, "patients": 3}
    assert everything.description["limits"] is None
    assert data.fingerprint != everything.fingerprint

    assert set(open_data(folder, **options, train_images=3).ids("train")) < set(data.ids("train"))
    assert open_data(folder, **options, train_images=999).ids("train") == everything.ids("train")


def test_the_seed_decides_which_images_a_limit_takes(write_images: Write) -> None:
    folder = write_images(*(f"train/{n}.png" for n in range(30)), "test/1.png")
    choices = {open_data(folder, size=32, train_images=5, seed=seed).ids("train") for seed in range(5)}
    assert len(choices) == 5


def test_a_limit_counts_usable_images(write_images: Write) -> None:
    folder = write_images(*NAMES)
    for number in range(3):
        (folder / "train" / f"{number}.png").write_bytes(b"")
    assert open_data(folder, size=32, train_images=4).ids("train") == tuple(f"train/{n}" for n in range(3, 7))


def test_the_description_is_json_without_paths(write_images: Write, tmp_path: Path) -> None:
    text = json.dumps(open_data(write_images(*NAMES), size=32, train_images=2).description)
    assert str(tmp_path) not in text
    assert '"folder": "data"' in text


def test_the_name_is_the_folders_unless_another_is_given(
    write_images: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_images(*NAMES)
    assert open_data(folder, size=32, name="ward 7").name == "ward 7"
    monkeypatch.chdir(folder)
    assert open_data(".", size=32).name == "data"


def test_what_is_not_there_is_refused(write_images: Write) -> None:
    folder = write_images(*NAMES)
    data = open_data(folder, size=32)
    with pytest.raises(DataError, match="unknown split 'valid'"):
        data.ids("valid")
    with pytest.raises(DataError, match="0 train images were asked for"):
        open_data(folder, size=32, train_images=0)
    (folder / "test" / "2.png").unlink()
    with pytest.raises(DataError, match=r"test/2\.png of data changed while it was in use"):
        list(data.batches("test", 8))
