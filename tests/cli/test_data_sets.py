"""`vaescreen data add`, `fetch` and `remove`, and names behind `--data`, as a user meets them."""

import json
from pathlib import Path

import pytest
from small import write_pictures, write_registry
from small_data import write_entries, zipped_pictures
from web import Web

from vaescreen.registry.catalogue import Registry
from vaescreen.storage import config_dir


def error_line(result) -> str:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.stderr
    *_, line = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


class TestList:
    def test_what_is_here_what_can_be_fetched_and_what_needs_registration(self, run, pictures) -> None:
        run("data", "add", "ward", pictures, "--stands-for", "chest")
        records = {
            each["data"]: each for each in json.loads(run("data", "list", "--format", "json").stdout)["rows"]
        }
        assert {name: records[name]["state"] for name in ("ward", "kodak", "mrnet", "chest-phantom")} == {
            "ward": "here", "kodak": "fetchable", "mrnet": "needs registration", "chest-phantom": "here",
        }  # fmt: skip
        assert records["ward"]["meant_by"] == ["chest"]
        assert records["chest-phantom"]["meant_by"] == []
        assert records["brain-phantom"]["meant_by"] == ["brain"]
        shown = run("data", "list").stdout
        assert "chest = ward, brain = brain-phantom" in shown
        assert "chestmnist-224" in shown


class TestShow:
    def test_of_a_data_set_that_is_not_here_what_is_known(self, run) -> None:
        shown = run("data", "show", "mrnet").stdout
        assert "mrnet (not on this machine)" in shown
        assert "`vaescreen data add mrnet FOLDER`" in shown
        record = json.loads(run("data", "show", "mrnet", "--format", "json").stdout)
        assert (record["state"], record["layout"], record["counts"]) == (
            "needs registration",
            "mrnet",
            {"test": 120},
        )

    def test_of_one_that_is_here_also_what_is_seen(self, run, pictures) -> None:
        run("data", "add", "ward", pictures, "--licence", "ours alone", "--stands-for", "chest")
        for name in ("ward", "chest"):
            shown = run("data", "show", name, "--size", "32").stdout
            assert "ward (real images)" in shown
            assert "licence: ours alone" in shown
            assert "fingerprint: " in shown

    def test_the_size_is_that_of_the_entry_unless_another_is_given(self, run, pictures, tmp_path) -> None:
        registry = write_entries(tmp_path, ward={"source": {"path": str(pictures)}, "size": 48})
        arguments = ("data", "show", "ward", "--registry", registry, "--format", "json")
        assert json.loads(run(*arguments).stdout)["description"]["size"] == 48
        assert json.loads(run(*arguments, "--size", "32").stdout)["description"]["size"] == 32


class TestAdd:
    def test_writes_the_users_registry_and_says_what_was_seen(self, run, pictures) -> None:
        result = run("data", "add", "ward", pictures, "--patients", r"picture-(\d)", "--title", "Our ward")
        assert result.exit_code == 0, result.output
        assert r"patients: pattern picture-(\d); splits: seeded, by patient" in result.stdout
        assert "marked as unverified: licence" in result.stdout
        assert "vaescreen rank --data ward" in result.stdout
        entry = Registry.read(config_dir() / "registry.yaml").data_set("ward")
        assert (entry.title, entry.domain, entry.licence) == ("Our ward", "other", "unknown")

    def test_writes_another_registry_and_keeps_its_comments(
        self, run, pictures, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        before = "# mine\ncandidates:   # none yet\n"
        Path("registry.yaml").write_text(before)
        run("data", "add", "ward", pictures, "--stands-for", "knee", "--registry", "registry.yaml")
        text = Path("registry.yaml").read_text()
        assert text.startswith(before)
        assert "source: {path: pictures}" in text
        assert Registry.load().data_set("ward").domain == "knee"
        assert run("data", "remove", "ward").exit_code == 0
        assert Path("registry.yaml").read_text() == f"{before}data:\n"

    def test_the_name_of_a_published_data_set_takes_over_what_is_known(self, run, tmp_path) -> None:
        for number in range(4):
            image = f"{number:08x}-0000-aaaa"
            folder = tmp_path / f"mimic/files/p10/p1000000{number}/s50000000"
            write_pictures(folder, count=1)
            (folder / "picture-00.png").rename(folder / f"{image}.jpg")
        result = run("data", "add", "mimic-cxr", tmp_path / "mimic")
        assert "patients: MIMIC subject" in result.stdout, result.output
        entry = Registry.load().data_set("mimic-cxr")
        shipped = Registry.read(Path(__file__).parents[2] / "registry.yaml").data_set("mimic-cxr")
        same = ("title", "licence", "terms", "citation", "layout", "counts", "stands_for", "preparation")
        assert {key: getattr(entry, key) for key in same} == {key: getattr(shipped, key) for key in same}
        assert "chest = mimic-cxr" in run("data", "list").stdout

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (("ward", "nowhere"), "nowhere is not there; give a folder of images"),
            (("ward", "pictures/picture-00.png"), "holds 1 image; give at least 3"),
            (("Ward", "pictures"), "use lower-case letters"),
            (("ward", "pictures", "--layout", "mrnet"), "no image in the layout of ward"),
            (("ward", "pictures", "--layout", "mrne"), "did you mean 'mrnet'?"),
            (("ward", "pictures", "--patients", "(nobody)"), "finds no patient in"),
            (("ward", "pictures", "--window", "3"), "window '3' is not understood"),
            (("ward", "pictures", "--slices", "0.9,0.1"), "must be two rising fractions"),
            (("ward", "pictures", "--axis", "up"), "reading.axis: must be"),
        ],
    )
    def test_what_cannot_be_used_is_not_written(
        self, run, pictures, tmp_path, monkeypatch, arguments, complaint
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert complaint in error_line(run("data", "add", *arguments))
        assert not (config_dir() / "registry.yaml").exists()

    def test_a_name_that_is_taken(self, run, pictures) -> None:
        run("data", "add", "ward", pictures)
        assert "`vaescreen data remove ward`" in error_line(run("data", "add", "ward", pictures))

    def test_slices_are_two_numbers(self, run, pictures) -> None:
        assert run("data", "add", "ward", pictures, "--slices", "half").exit_code == 2


class TestFetchAndRemove:
    def test_size_and_licence_first_then_the_data_set_stands_for_its_short_name(self, run, tmp_path) -> None:
        packed = zipped_pictures(tmp_path / "scratch", count=8)
        with Web({"set.zip": packed}) as web:
            source = {"urls": [{"url": web.url("set.zip")}]}
            registry = write_entries(
                tmp_path, tiny={"source": source, "stands_for": "chest", "terms": "be kind", "citation": "us"}
            )
            asked = run("data", "fetch", "tiny", "--registry", registry)
            assert asked.exit_code == 2
            assert "give --yes" in asked.stderr
            for said in (
                f"size: {len(packed) / 1e6:.1f} MB, 1 file",
                "licence: CC0-1.0",
                "terms: be kind",
                "cite: us",
            ):
                assert said in asked.stderr
            assert not any(request.startswith("GET") for request in web.requests)
            assert "chest-phantom (generated" in run("data", "show", "chest", "--size", "32", "--registry", registry,
                                                     "--train-images", "1", "--test-images", "1").stdout  # fmt: skip

            done = run("data", "fetch", "tiny", "--yes", "--registry", registry)
            assert done.exit_code == 0, done.output
            assert done.stdout.startswith("tiny: ")
            web.requests.clear()
            assert run("data", "fetch", "tiny", "--registry", registry).stdout == done.stdout
            assert web.requests == []
        assert (
            "tiny (real images)"
            in run("data", "show", "chest", "--size", "32", "--registry", registry).stdout
        )

        removed = run("data", "remove", "tiny", "--registry", registry)
        assert "what was fetched is deleted" in removed.stdout
        assert not Path(done.stdout.removeprefix("tiny: ").strip()).exists()
        assert "tiny" in registry.read_text()

    def test_nothing_of_a_published_data_set_was_fetched(self, run) -> None:
        assert run("data", "remove", "kodak").stdout == "kodak: nothing of it was fetched\n"

    def test_removing_an_entry_leaves_the_images(self, run, pictures) -> None:
        run("data", "add", "mrnet", pictures, "--layout", "folder")
        result = run("data", "remove", "mrnet")
        assert "the images stay where they are" in result.stdout
        assert "counts again" in result.stdout
        assert len(list(pictures.iterdir())) == 12

    def test_what_cannot_be_fetched(self, run, pictures) -> None:
        run("data", "add", "ward", pictures)
        assert "nothing to fetch" in error_line(run("data", "fetch", "ward", "--yes"))
        assert "registered users only" in error_line(run("data", "fetch", "mrnet", "--yes"))
        assert "did you mean 'kodak'?" in error_line(run("data", "fetch", "kodac", "--yes"))
        assert "no data set is called" in error_line(run("data", "remove", "kodac"))


class TestNamesBehindData:
    """Every command takes names, and says which images it used."""

    @pytest.fixture
    def registry(self, tmp_path: Path, pictures: Path) -> Path:
        file = write_registry(tmp_path)
        ward = {"title": "Our ward", "domain": "chest", "licence": "ours", "stands_for": "chest"}
        ward["source"] = {"path": str(pictures)}  # type: ignore[assignment]
        with file.open("a") as stream:
            stream.write("\ndata:\n  ward: " + json.dumps(ward) + "\n")
        return file

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(("rank", "dct-f16c4"), marks=pytest.mark.slow),
            pytest.param(("score", "dct-f16c4", "--size", "64"), marks=pytest.mark.slow),
            ("compare", "dct-f16c4", "haar-f16c4", "--size", "64"),
            ("reference", "baseline", "bicubic", "--recipe", "compact"),
            ("reference", "plan", "dct-f16c4", "--recipe", "compact"),
        ],
        ids=lambda command: command[0] + ("-" + command[1] if command[0] == "reference" else ""),
    )
    def test_chest_is_the_ward(self, run, registry, tmp_path, command) -> None:
        place = ("--results", tmp_path / "results") if command[0] != "compare" else ()
        if command[0] in ("rank", "score"):
            place = (*place, "--processes", "1")
        result = run(*command, "--data", "chest", "--registry", registry, *place)
        assert result.exit_code == 0, result.output
        assert "ward" in result.stdout
        assert "phantom" not in result.stdout.lower()

    def test_json_says_which(self, run, registry, tmp_path) -> None:
        arguments = (
            "reference",
            "baseline",
            "nearest",
            "--registry",
            registry,
            "--results",
            tmp_path / "results",
        )
        kinds = {}
        for name in ("chest", "chest-phantom"):
            limits = ("--train-images", "4", "--test-images", "4") if name == "chest-phantom" else ()
            result = run(*arguments, *limits, "--data", name, "--format", "json")
            assert result.exit_code == 0, result.output
            data = json.loads(result.stdout)["rows"][0]["data"]
            kinds[name] = (data["name"], data["kind"])
        assert kinds == {"chest": ("ward", "real"), "chest-phantom": ("chest-phantom", "phantom")}
