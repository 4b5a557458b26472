"""What an archive may do to this machine: make plain files in one folder, and nothing else."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.archives import stem
from vaescreen.images.fetching.unpacking import unpack

GOOD = {"a/one.png": b"1" * 10, "a/two.png": b"2" * 5000, "three.png": b""}


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_special(path: Path, name: str, kind: bytes, target: str = "") -> Path:
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tar.addfile(info)
    return path


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def refusal(archive: Path) -> str:
    """The one line with which an archive is refused; nothing but the archive is there then."""
    root = archive.parent
    before = sorted(root.parent.rglob("*"))
    with pytest.raises(DataError) as caught:
        unpack(archive, root / "out")
    assert "\n" not in str(caught.value)
    assert sorted(root.parent.rglob("*")) == before
    return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "inner"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.zip"])
def test_every_kind_gives_its_files(place, name):
    modes = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz", "tar": "w"}
    kind = name.rpartition(".")[2]
    archive = make_zip(place / name, GOOD) if kind == "zip" else make_tar(place / name, GOOD, modes[kind])
    assert stem(name) == "a"
    unpack(archive, place / "out")
    assert contents(place / "out") == GOOD
    assert sorted(path.name for path in place.iterdir()) == [name, "out"]


@pytest.mark.parametrize("name", ["scan.nii.gz", "a.png", "tar", ".zip", "a.npz", "a.parquet"])
def test_other_files_are_no_archives(name):
    assert stem(name) is None


def test_folders_may_stand_for_themselves_and_permissions_are_ours(place):
    archive = place / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for name in ("./", "./deep/"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0
            tar.addfile(info)
        info = tarfile.TarInfo("./deep/x.png")
        info.size, info.mode = 1, 0o6777
        tar.addfile(info, io.BytesIO(b"x"))
    unpack(archive, place / "out")
    assert contents(place / "out") == {"deep/x.png": b"x"}
    assert not (place / "out/deep/x.png").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR | stat.S_IWOTH)


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/x.png", "..\\x.png"])
def test_nothing_leaves_the_folder(place, make, name):
    archive = make(place / ("a.tar" if make is make_tar else "a.zip"), {"ok.png": b"1", name: b"evil"})
    assert "would leave its folder" in refusal(archive)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "one.png"),
        (tarfile.LNKTYPE, "../x"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_of_a_tar(place, kind, target):
    assert "is a link or a device" in refusal(make_special(place / "a.tar", "x.png", kind, target))


def test_a_link_in_a_zip(place):
    archive = place / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        info = zipfile.ZipInfo("x.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    assert "is a link or a device" in refusal(archive)


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_a_bomb_is_noticed_before_it_is_unpacked(place, make, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_FINE", 1000)
    archive = (
        make_zip(place / "a.zip", {"zeros.png": bytes(10**6)})
        if make is make_zip
        else make_tar(place / "a.tar.gz", {"zeros.png": bytes(10**6)}, "w:gz")
    )
    assert archive.stat().st_size * archives.LARGEST_RATIO < 10**6
    assert "would unpack to more than" in refusal(archive)


def test_too_many_files(place, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    assert "holds more than 2 files" in refusal(make_tar(place / "a.tar", GOOD))


def test_a_member_that_is_larger_than_the_archive_says(place):
    archive = make_zip(place / "a.zip", {"x.png": bytes(5000)})
    packed = bytearray(archive.read_bytes())
    at = packed.index(b"PK\x01\x02") + 24  # size before packing, in the central directory
    packed[at : at + 4] = (4000).to_bytes(4, "little")
    archive.write_bytes(packed)
    refusal(archive)


def test_a_name_that_stands_twice(place):
    archive = place / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for data in (b"one", b"two"):
            info = tarfile.TarInfo("x.png")
            info.size = 3
            tar.addfile(info, io.BytesIO(data))
    assert "a name twice (x.png)" in refusal(archive)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_damaged_archives(place, name):
    kind = {"a.tar": "w", "a.tar.gz": "w:gz"}.get(name)
    archive = make_tar(place / name, GOOD, kind) if kind else make_zip(place / name, GOOD)
    archive.write_bytes(archive.read_bytes()[:-40] if kind != "w" else archive.read_bytes()[:2000])
    assert "damaged or no archive" in refusal(archive)
    archive.write_bytes(b"no archive at all")
    assert "damaged or no archive" in refusal(archive)


def test_an_encrypted_zip(place):
    archive = make_zip(place / "a.zip", {"x.png": b"secret"})
    packed = bytearray(archive.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(packed)
    assert "is encrypted" in refusal(archive)
