"""Private data: hashes in place of ids, by a key that stays here, and no name anywhere."""

import hashlib
import hmac
import os
import re
import stat
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vaescreen.errors import CacheError, DataError
from vaescreen.images import DataSet, open_data
from vaescreen.images.pixels import Picture
from vaescreen.images.privacy import KEY_FILE, PrivateSource, keyed_hash, privacy_key
from vaescreen.images.scanning import Item, Skipped

Write = Callable[..., Path]
NAMES = tuple(f"{who}_{n}.png" for who in ("mary", "john", "anne", "paul") for n in range(3))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def test_the_key_is_made_once_and_is_for_nobody_else(config: Path) -> None:
    key = privacy_key()
    assert len(key) == 32
    assert privacy_key() == key
    assert [path.name for path in config.iterdir()] == [KEY_FILE]
    if os.name == "posix":
        assert stat.S_IMODE((config / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes of files are of POSIX")
def test_a_key_that_others_may_read_or_that_is_cut_is_refused(config: Path) -> None:
    privacy_key()
    (config / KEY_FILE).chmod(0o640)
    with pytest.raises(CacheError, match="chmod 600"):
        privacy_key()
    (config / KEY_FILE).chmod(0o600)
    (config / KEY_FILE).write_bytes(b"short")
    with pytest.raises(CacheError, match="damaged"):
        privacy_key()


def test_the_hash_is_hmac_sha256() -> None:
    expected = hmac.digest(b"k" * 32, b"patient\0mary", "sha256").hex()[:16]
    assert keyed_hash(b"k" * 32, "patient", "mary") == expected
    assert keyed_hash(b"l" * 32, "patient", "mary") != expected
    assert keyed_hash(b"k" * 32, "image", "mary") != expected
    assert hashlib.sha256(b"mary").hexdigest()[:16] != expected


def test_images_and_splits_are_those_of_the_open_data_under_other_ids(write_images: Write) -> None:
    folder = write_images(*NAMES)
    plain = open_data(folder, size=32, patient_pattern="^([a-z]+)")
    hidden = open_data(folder, size=32, patient_pattern="^([a-z]+)", private=True)
    for split in ("train", "val", "test"):
        pixels = [
            {batch.images.numpy().tobytes() for batch in data.batches(split, 1)} for data in (plain, hidden)
        ]
        assert pixels[0] == pixels[1]
        codes = {keyed_hash(privacy_key(), "image", image): image for image in plain.ids(split)}
        assert set(hidden.ids(split)) == set(codes)
        owners = dict(zip(plain.ids(split), plain.patients(split), strict=True))
        assert list(hidden.patients(split)) == [
            keyed_hash(privacy_key(), "patient", owners[codes[code]]) for code in hidden.ids(split)
        ]
    assert (plain.private, hidden.private) == (False, True)


def test_fingerprints_hold_with_the_key_and_not_without(write_images: Write, config: Path) -> None:
    folder = write_images(*NAMES)
    first = open_data(folder, size=32, private=True)
    assert open_data(folder, size=32, private=True).record == first.record
    (config / KEY_FILE).unlink()
    other = open_data(folder, size=32, private=True)
    assert other.fingerprint != first.fingerprint
    assert other.name != first.name


def test_nothing_in_the_record_names_a_folder_or_a_pattern(write_images: Write) -> None:
    folder = write_images(*NAMES, folder="clinic")
    record = open_data(folder, size=32, patient_pattern="^(mary|john|anne|paul)", private=True).record
    assert not any(word in repr(record) for word in ("clinic", "mary", "john", str(folder.parent)))
    assert record["description"]["patient_rule"] == "pattern"
    assert record["name"].startswith("private-")
    assert open_data(folder, size=32, name="ours", private=True).name == "ours"


def test_the_cache_does_not_learn_the_names(write_images: Write, cache: Path) -> None:
    folder = write_images("john.png", folder="clinic")
    for seed, who in enumerate(("mary", "anne", "paul", "rose", "jack", "olga", "yves", "zoe")):
        np.save(folder / f"{who}.npy", np.random.default_rng(seed).integers(0, 256, (9, 32, 32), np.uint8))
    (folder / "mary_broken.png").write_text("no image")
    (folder / "mary_broken.npy").write_bytes(b"no array")
    kept = [open_data(folder, size=32, private=private) and written(cache) for private in (True, False)]
    assert ["mary" in text for text in kept] == [False, True]


def written(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(str(path) + path.read_text() for path in files)


def test_skipped_files_are_listed_without_their_names(write_images: Write) -> None:
    folder = write_images(*NAMES)
    (folder / "mary_broken.png").write_text("no image")
    skipped = open_data(folder, size=32, private=True).skipped
    assert len(skipped) == 1
    assert skipped[0].path == keyed_hash(privacy_key(), "image", "mary_broken")
    assert "not an image" in skipped[0].reason


class Talkative:
    """A source whose reasons and warnings name files."""

    kind = "real"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = {"folder": str(folder)}
        self.items = tuple(
            Item(f"ward/mary.smith/{n}", f"mary {n}", split, f"ward/mary.smith/{n}.nii.gz", "007")
            for n, split in enumerate(("train", "val", "test", "test"))
        )
        self.unusable = (Skipped("ward/john_doe.dcm", "John_Doe.dcm: no pixels in ward"),)
        self.left_out = self.passed_over = ()
        self.description = {"source": "talkative", "folder": folder.name, "list": "mary.csv", "size": 8}

    def load(self, item: Item) -> Picture:
        warnings.warn(f"odd tag in {item.key}", stacklevel=1)
        if item.key == "ward/mary.smith/3.nii.gz":
            raise DataError(f"cannot read {self.folder}/{item.key} of mary.smith")
        return Picture(np.eye(8, dtype=np.float32) * (1 + int(item.id[-1])) / 8)

    def stamps(self) -> list[str]:
        return [str(item.key) for item in self.items]


def test_reasons_and_warnings_of_any_source_are_freed_of_names(tmp_path: Path) -> None:
    source = Talkative(tmp_path / "clinic")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = DataSet("x", PrivateSource(source, source.folder), size=8, seed=0, limits={})
    told = repr((data.record, data.skipped)).lower()
    assert not any(word in told for word in ("mary", "smith", "john", "doe", "ward", "clinic"))
    assert "007" not in re.split(r"\W+", told), "by itself: a hash may hold these digits"
    assert "no pixels in [name hidden]" in told
    assert len(data.skipped) == 2


@pytest.mark.parametrize(
    "options", [{"patient_pattern": "(nobody)"}, {"patient_pattern": "(mary"}, {"size": 32}, {}]
)
def test_what_cannot_be_opened_is_refused_without_a_name(write_images: Write, options: dict) -> None:
    folder = write_images(*NAMES, folder="clinic")
    if not options.get("patient_pattern"):
        folder = folder / "absent"
    with pytest.raises(DataError) as caught:
        open_data(folder, **{"size": 32, **options}, private=True)
    assert not any(word in str(caught.value) for word in ("mary", "clinic", "absent", "nobody"))
    assert "without --private" in str(caught.value)


def test_phantoms_have_nothing_to_hide() -> None:
    data = open_data("chest", size=32, train_images=1, test_images=1, private=True)
    assert not data.private
    assert data.ids("train") == ("phantom-0001",)


def test_a_list_of_files_is_not_named_as_the_rule(write_images: Write) -> None:
    folder = write_images(*NAMES)
    rows = [f"{name},{'test' if number % 4 else 'train'},p{number}" for number, name in enumerate(NAMES)]
    (folder / "mary.csv").write_text("\n".join(["file,split,patient_id", *rows]))
    assert "mary.csv" in repr(open_data(folder / "mary.csv", size=32).record)
    assert "mary" not in repr(open_data(folder / "mary.csv", size=32, private=True).record)
