"""A file from the web arrives whole and as published, or not at all; what broke off goes on."""

import hashlib
import random
import shutil
from pathlib import Path

import pytest
from web import Web

from vaescreen.errors import DataError
from vaescreen.images.fetching import downloads
from vaescreen.images.fetching.downloads import download, size_of
from vaescreen.registry.data_sources import WebFile

DATA = random.Random(0).randbytes(3 * 2**20 + 12_345)
OTHER = random.Random(1).randbytes(len(DATA))


def fetch(web: Web, target: Path, path: str = "a.zip", **published: object) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    file = WebFile.model_validate({"url": web.url(path), **published})
    received = download(file, target, lambda done, total: told.append((done, total)))
    assert received.size == target.stat().st_size
    assert received.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert not list(target.parent.glob("*.part*"))
    return told


def refusal(web: Web, target: Path, path: str = "a.zip", **published: object) -> str:
    with pytest.raises(DataError) as caught:
        fetch(web, target, path, **published)
    assert "\n" not in str(caught.value)
    assert not target.exists()
    return str(caught.value)


def test_a_file_arrives_and_progress_reaches_its_size(tmp_path):
    with Web({"a.zip": DATA}) as web:
        told = fetch(web, tmp_path / "a.zip")
        assert (tmp_path / "a.zip").read_bytes() == DATA
        assert told[0] == (0, len(DATA))
        assert told[-1] == (len(DATA), len(DATA))
        assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_published_size_and_hashes_are_checked_and_hold(tmp_path):
    published = {
        "size": len(DATA),
        "md5": hashlib.md5(DATA).hexdigest(),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }
    with Web({"a.zip": DATA}) as web:
        fetch(web, tmp_path / "a.zip", **published)


@pytest.mark.parametrize(("kind", "algorithm"), [("md5", hashlib.md5), ("sha256", hashlib.sha256)])
def test_another_hash_than_published_leaves_nothing(tmp_path, kind, algorithm):
    with Web({"a.zip": OTHER}) as web:
        message = refusal(web, tmp_path / "a.zip", **{kind: algorithm(DATA).hexdigest()})
    assert algorithm(OTHER).hexdigest() in message
    assert algorithm(DATA).hexdigest() in message
    assert list(tmp_path.iterdir()) == []


def test_another_size_than_published_is_refused_before_a_byte_is_fetched(tmp_path):
    with Web({"a.zip": DATA}) as web:
        assert "has changed" in refusal(web, tmp_path / "a.zip", size=5)
    assert list(tmp_path.iterdir()) == []


class TestBrokenOff:
    def test_goes_on_at_once_with_what_is_missing(self, tmp_path):
        with Web({"a.zip": DATA}, cut={"a.zip": [1_000_000, 500_000]}) as web:
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA
            assert web.requests == ["GET a.zip", "GET a.zip bytes=1000000-", "GET a.zip bytes=1500000-"]

    def test_goes_on_in_a_later_run(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 1)
        with Web({"a.zip": DATA}, cut={"a.zip": [1_000_000, 0]}) as web:
            message = refusal(web, tmp_path / "a.zip")
            assert "broke off" in message
            assert "to go on from 1000000 bytes" in message
            assert (tmp_path / "a.zip.part").stat().st_size == 1_000_000
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA
            assert web.requests[-1] == "GET a.zip bytes=1000000-"

    def test_a_file_that_changed_meanwhile_is_fetched_anew(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 1)
        with Web({"a.zip": DATA}, cut={"a.zip": [1_000_000, 0]}) as web:
            refusal(web, tmp_path / "a.zip")
            web.files["a.zip"] = OTHER
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == OTHER

    def test_a_server_without_ranges_sends_all_again(self, tmp_path):
        with Web({"a.zip": DATA}, cut={"a.zip": [1_000_000]}, ranges=False) as web:
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA

    def test_what_is_of_no_known_version_is_not_gone_on_with(self, tmp_path):
        with Web({"a.zip": DATA}, cut={"a.zip": [1_000_000]}, validators=False) as web:
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA
            assert web.requests == ["GET a.zip", "GET a.zip"]

    def test_what_another_address_left_is_not_gone_on_with(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 1)
        with Web({"a.zip": DATA, "new/a.zip": OTHER}, cut={"a.zip": [1_000_000, 0]}) as web:
            refusal(web, tmp_path / "a.zip")
            fetch(web, tmp_path / "a.zip", "new/a.zip")
            assert (tmp_path / "a.zip").read_bytes() == OTHER
            assert web.requests[-1] == "GET new/a.zip"

    def test_whole_but_not_yet_verified_is_only_verified(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 1)
        with Web({"a.zip": DATA}, cut={"a.zip": [len(DATA) - 1, 0]}) as web:
            refusal(web, tmp_path / "a.zip")
            with (tmp_path / "a.zip.part").open("ab") as part:
                part.write(DATA[-1:])
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA


class TestRefused:
    def test_no_such_file(self, tmp_path):
        with Web({}) as web:
            assert "answered 404, there is no such file" in refusal(web, tmp_path / "a.zip")
            assert len(web.requests) == 1

    def test_a_busy_server_is_asked_again(self, tmp_path):
        with Web({"a.zip": DATA}, failing={"a.zip": [503]}) as web:
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA

    def test_a_server_that_stays_busy_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 2)
        with Web({"a.zip": DATA}, failing={"a.zip": [503] * 9}) as web:
            assert "answered 503" in refusal(web, tmp_path / "a.zip")
            assert len(web.requests) == 2

    def test_a_page_in_place_of_the_file(self, tmp_path):
        with Web({}, pages=frozenset({"a.zip"})) as web:
            assert "is an HTML page, not the file" in refusal(web, tmp_path / "a.zip")

    def test_a_page_that_calls_itself_a_file(self, tmp_path):
        with Web({"a.zip": b"<!DOCTYPE html><p>quota exceeded</p>"}) as web:
            assert "is an HTML page, not the file" in refusal(web, tmp_path / "a.zip")

    def test_a_pointer_in_place_of_the_file(self, tmp_path):
        with Web({"a.zip": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"}) as web:
            assert "is a Git LFS pointer" in refusal(web, tmp_path / "a.zip")

    def test_nobody_there(self, tmp_path, monkeypatch):
        monkeypatch.setattr(downloads, "TRIES", 1)
        with Web({}) as web:
            pass
        assert "cannot be reached" in refusal(web, tmp_path / "a.zip")

    def test_a_redirection_is_followed(self, tmp_path):
        with Web({"b.zip": DATA}, elsewhere={"a.zip": "/b.zip"}) as web:
            fetch(web, tmp_path / "a.zip")
            assert (tmp_path / "a.zip").read_bytes() == DATA

    def test_a_redirection_to_a_file_of_this_machine_is_not(self, tmp_path):
        secret = tmp_path / "secret.zip"
        secret.write_bytes(DATA)
        with Web({}, elsewhere={"a.zip": secret.as_uri()}) as web:
            refusal(web, tmp_path / "there" / "a.zip")

    def test_a_disk_that_is_too_small(self, tmp_path, monkeypatch):
        full = shutil.disk_usage(tmp_path)._replace(free=10)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
        with Web({"a.zip": DATA}) as web:
            assert "free space" in refusal(web, tmp_path / "a.zip")
        assert not list(tmp_path.glob("*.part"))


def test_size_is_asked_of_the_server_where_it_is_not_published():
    with Web({"a.zip": DATA}) as web:
        assert size_of(WebFile(url=web.url("a.zip"))) == len(DATA)
        assert size_of(WebFile(url=web.url("none.zip"))) is None
        assert size_of(WebFile(url=web.url("a.zip"), size=7)) == 7
        assert [request.split()[0] for request in web.requests] == ["HEAD", "HEAD"]
