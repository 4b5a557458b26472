"""A data set is on this machine whole and verified, or not at all."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hub import Hub
from small import write_pictures
from small_data import write_entries, zipped_pictures
from web import Web

from vaescreen.errors import CacheError, DataError
from vaescreen.images import Declaration, open_data
from vaescreen.images.fetching import store
from vaescreen.images.fetching.fetch import fetch, plan
from vaescreen.images.naming import declared, state_of
from vaescreen.registry.catalogue import DATA


def entry(source: dict[str, Any], **fields: Any):
    return DATA.make(
        "mine", {"title": "Mine", "domain": "other", "licence": "CC0-1.0", "source": source} | fields
    )


def quiet(_: str, __: int, ___: int | None) -> None:
    pass


def left_of(name: str) -> list[str]:
    return [place.name for place in (store.home(name), store.workshop(name)) if place.exists()]


@pytest.fixture
def packed(tmp_path: Path) -> bytes:
    return zipped_pictures(tmp_path / "scratch")


class TestFromTheWeb:
    def test_archives_are_unpacked_and_gone_and_the_data_set_opens(self, packed, tmp_path):
        with Web({"set.zip": packed, "readme.txt": b"hello"}) as web:
            urls = [{"url": web.url("set.zip")}, {"url": web.url("readme.txt")}]
            mine = entry({"urls": urls}, subfolder="set/pictures")
            assert state_of(mine) == "fetchable"
            planned = plan(mine)
            assert (planned.size, planned.files) == (len(packed) + 5, 2)
            told: list[tuple[str, int, int | None]] = []
            place = fetch(planned, lambda *each: told.append(each))
        assert state_of(mine) == "here"
        assert sorted(path.name for path in place.iterdir()) == [".complete.json", "readme.txt", "set"]
        assert told[-1] == ("readme.txt", planned.size, planned.size)
        files = json.loads((place / ".complete.json").read_text())["files"]
        assert files["set.zip"] == {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}
        registry = write_entries(tmp_path, mine=mine.entry(tmp_path))
        spec = declared("mine", registry)
        assert isinstance(spec, Declaration)
        same = open_data(tmp_path / "scratch" / "pictures", size=64)
        assert open_data(spec, size=64).fingerprint == same.fingerprint

    def test_what_is_complete_is_not_asked_for_again(self, packed):
        with Web({"set.zip": packed}) as web:
            mine = entry({"urls": [{"url": web.url("set.zip")}]})
            first = fetch(plan(mine), quiet)
            asked = plan(mine)
            web.requests.clear()
            assert fetch(asked, quiet) == first
            assert web.requests == []

    def test_another_source_in_the_entry_means_another_data_set(self, packed):
        with Web({"set.zip": packed, "new.zip": packed}) as web:
            fetch(plan(entry({"urls": [{"url": web.url("set.zip")}]})), quiet)
            changed = entry({"urls": [{"url": web.url("new.zip")}]})
            assert state_of(changed) == "fetchable"
            place = fetch(plan(changed), quiet)
            assert not (place / "set").exists()
            assert (place / "new").is_dir()

    @pytest.mark.parametrize(
        ("files", "published", "complaint"),
        [
            ({}, {}, "answered 404"),
            ({"set.zip": b"PK no archive"}, {}, "damaged or no archive"),
            ({"set.zip": b"x"}, {"md5": "0" * 32}, "arrived damaged or has changed"),
        ],
    )
    def test_what_fails_is_not_there_afterwards(self, files, published, complaint):
        with Web(files) as web:
            mine = entry({"urls": [{"url": web.url("set.zip"), **published}]})
            with pytest.raises(DataError, match=complaint):
                fetch(plan(mine), quiet)
            assert state_of(mine) == "fetchable"
            assert not store.home("mine").exists()

    def test_files_that_had_arrived_are_not_fetched_again(self, packed):
        with Web({"a.txt": b"one"}) as web:
            mine = entry({"urls": [{"url": web.url("a.txt")}, {"url": web.url("set.zip")}]})
            with pytest.raises(DataError, match="404"):
                fetch(plan(mine), quiet)
            web.files["set.zip"] = packed
            web.requests.clear()
            fetch(plan(mine), quiet)
            assert [request for request in web.requests if request.startswith("GET")] == ["GET set.zip"]

    def test_a_disk_that_is_too_small(self, packed, tmp_path, monkeypatch):
        small = shutil.disk_usage(tmp_path)._replace(free=10)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: small)
        with Web({"set.zip": packed}) as web:
            planned = plan(entry({"urls": [{"url": web.url("set.zip")}]}))
            with pytest.raises(DataError, match="free space, or point VAESCREEN_CACHE"):
                fetch(planned, quiet)
            assert not any(request.startswith("GET") for request in web.requests)

    def test_two_at_once(self, packed):
        with Web({"set.zip": packed}) as web:
            planned = plan(entry({"urls": [{"url": web.url("set.zip")}]}))
            with store.only_one("mine"), pytest.raises(CacheError, match="another process is at mine"):
                fetch(planned, quiet)

    def test_discarding_leaves_nothing(self, packed):
        with Web({"set.zip": packed}) as web:
            mine = entry({"urls": [{"url": web.url("set.zip")}]})
            fetch(plan(mine), quiet)
        assert store.discard("mine")
        assert left_of("mine") == []
        assert state_of(mine) == "fetchable"
        assert not store.discard("mine")


def test_nothing_can_be_fetched_of_a_folder_or_of_what_is_given_to_registered_users(tmp_path):
    with pytest.raises(DataError, match="there is nothing to fetch"):
        plan(entry({"path": str(tmp_path)}))
    with pytest.raises(
        DataError, match=r"fetch it from https://x.org/y, then `vaescreen data add mine FOLDER`"
    ):
        plan(entry({"credentialed": "https://x.org/y"}))


class TestKilled:
    """A process that fetches is killed without warning; the next one goes on."""

    def test_goes_on_with_what_had_arrived(self, packed, tmp_path):
        data = bytes(3 * 2**20) + packed  # a zip may have anything before it
        half = 2 * 2**20
        with Web({"set.zip": data}, held={"set.zip": half}) as web:
            registry = write_entries(tmp_path, mine={"source": {"urls": [{"url": web.url("set.zip")}]}})
            command = [sys.executable, "-m", "vaescreen", "data", "fetch", "mine", "--yes"]
            child = subprocess.Popen(
                [*command, "--registry", str(registry)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            part = store.workshop("mine") / "files" / "set.zip.part"
            deadline = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size == half):
                assert child.poll() is None, "the child ended by itself"
                assert time.monotonic() < deadline, "the child did not get that far"
                time.sleep(0.02)
            os.kill(child.pid, signal.SIGKILL)
            child.wait(30)
            mine = entry({"urls": [{"url": web.url("set.zip")}]})
            assert state_of(mine) == "fetchable"
            web.release()
            place = fetch(plan(mine), quiet)
            assert web.requests[-1] == f"GET set.zip bytes={half}-"
        assert len(list((place / "set" / "pictures").iterdir())) == 6
        receipt = json.loads((place / ".complete.json").read_text())["files"]["set.zip"]
        assert receipt["sha256"] == hashlib.sha256(data).hexdigest()


class TestFromTheHub:
    """Clients are child processes: the hub's client reads its address when it is imported."""

    @pytest.fixture
    def root(self, tmp_path: Path, packed: bytes) -> Path:
        repo = tmp_path / "root" / "datasets" / "org" / "set"
        write_pictures(repo / "images", count=4)
        (repo / "more.zip").write_bytes(packed)
        (repo / "README.md").write_text("about")
        return tmp_path / "root"

    def run(self, hub: Hub, tmp_path: Path, *words: str, **source: Any) -> subprocess.CompletedProcess[str]:
        source = {"hub": "org/set", "revision": "main", **source}
        registry = write_entries(tmp_path / "registry", mine={"source": source})
        return subprocess.run(
            [sys.executable, "-m", "vaescreen", "data", *words, "--registry", str(registry)],
            env=hub.environment(tmp_path / "home"), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def test_wanted_files_of_the_commit_are_fetched(self, root, tmp_path):
        with Hub(root) as hub:
            done = self.run(hub, tmp_path, "fetch", "mine", "--yes", files=["images/*", "*.zip"])
            assert done.returncode == 0, done.stderr
            place = store.home("mine")
            assert done.stdout == f"mine: {place}\n"
            assert "licence: CC0-1.0" in done.stderr
            assert sorted(path.name for path in place.iterdir()) == [".complete.json", "images", "more"]
            for path in (root / "datasets/org/set/images").iterdir():
                assert (place / "images" / path.name).read_bytes() == path.read_bytes()
            commit = hub.commit("datasets/org/set")
            asked = [request for request in hub.requests if "/resolve/" in request]
            assert asked
            assert all(f"/datasets/org/set/resolve/{commit}/" in request for request in asked)
            assert not any("README" in request for request in asked)

    def test_a_lost_connection_and_a_second_run_go_on(self, root, tmp_path, packed):
        with Hub(
            root, cut={"datasets/org/set/more.zip": 5000}, failing={"datasets/org/set/more.zip": []}
        ) as hub:
            hub.failing["datasets/org/set/images/picture-03.png"] = [404]
            first = self.run(hub, tmp_path, "fetch", "mine", "--yes")
            assert first.returncode == 1
            assert not store.home("mine").exists()
            hub.requests.clear()
            second = self.run(hub, tmp_path, "fetch", "mine", "--yes")
            assert second.returncode == 0, second.stderr
            assert not any("GET" in each and "picture-00" in each for each in hub.requests)
        receipt = json.loads((store.home("mine") / ".complete.json").read_text())["files"]["more.zip"]
        assert receipt["sha256"] == hashlib.sha256(packed).hexdigest()

    def test_refusals_are_one_line_and_leave_nothing(self, root, tmp_path, packed):
        for name in ("gated", "changed", "climbing"):
            shutil.copytree(root / "datasets/org/set", root / "datasets/org" / name)
        repos = {
            "gated": (
                {},
                "org/gated is gated; accept its licence at https://huggingface.co/datasets/org/gated",
            ),
            "absent": ({}, "org/absent is not on the hub, or is private"),
            "set": ({"revision": "v9"}, "org/set has no revision 'v9'"),
            "climbing": ({}, "would leave its folder"),
            "changed": (
                {"files": ["more.zip"]},
                "org/changed: more.zip arrived damaged: it is not what org/changed says",
            ),
        }
        entries = {
            name: {"source": {"hub": f"org/{name}", "revision": "main", **source}}
            for name, (source, _) in repos.items()
        }
        entries["empty"] = {"source": {"hub": "org/set", "revision": "main", "files": ["*.parquet"]}}
        complaints = {name: complaint for name, (_, complaint) in repos.items()}
        complaints["empty"] = "org/set has no file matching *.parquet at revision main"
        with Hub(
            root,
            refused={"datasets/org/gated": (403, "GatedRepo")},
            listed={"datasets/org/climbing": ("../../evil.png",)},
            swapped={"datasets/org/changed/more.zip": b"z" * len(packed)},
        ) as hub:
            done = self.run_all(hub, tmp_path, entries)
        for name, complaint in complaints.items():
            assert (done[name]["code"], done[name]["out"]) == (1, ""), name
            assert complaint in done[name]["err"].splitlines()[-1]
            assert not store.home(name).exists()
        assert not list(tmp_path.rglob("evil.png"))

    def run_all(self, hub: Hub, tmp_path: Path, entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Fetch each of these in one child process."""
        registry = write_entries(tmp_path / "registry", **entries)
        script = f"""
import json
from typer.testing import CliRunner
from vaescreen.cli import app
done = {{}}
for name in {list(entries)!r}:
    result = CliRunner().invoke(app, ["data", "fetch", name, "--yes", "--registry", {str(registry)!r}])
    done[name] = {{"code": result.exit_code, "out": result.stdout, "err": result.stderr}}
print(json.dumps(done))
"""
        child = subprocess.run(
            [sys.executable, "-c", script],
            env=hub.environment(tmp_path / "home"), capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return dict(json.loads(child.stdout))
