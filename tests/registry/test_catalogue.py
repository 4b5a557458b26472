"""The registry: what ships, what an entry must say, and how a mistake is reported."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import RegistryError
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.sources import BundledSource, HubSource, LinearSource, PathSource
from vaescreen.storage import config_dir

ENTRY = """\
candidates:
  mine:
    adapter: diffusers
    source: {hub: org/name, revision: main, subfolder: vae}
    geometry: {channels: 4, factor: 8}
    domain: natural
    family: mine
    licence: MIT
    training_data: photographs
"""


def load(folder: Path, text: str | bytes) -> Registry:
    path = folder / "registry.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Registry.read(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(RegistryError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "registry.yaml") in message
    return message.removeprefix(str(folder / "registry.yaml"))


class TestShippedRegistry:
    def test_has_all_bundled_geometries_in_both_domains(self):
        candidates = Registry.load().candidates
        geometries = {Geometry(1, 4), Geometry(3, 4), Geometry(4, 4), Geometry(8, 4)} | {
            Geometry(1, 8),
            Geometry(4, 8),
            Geometry(16, 8),
        }
        for domain in ("medical", "generic"):
            bundled = [c for c in candidates.values() if c.family == f"bundled-{domain}"]
            assert {c.geometry for c in bundled} == geometries
            assert {c.source for c in bundled} == {BundledSource(bundled=c.name) for c in bundled}
        assert {c.geometry for c in candidates.values() if c.family == "linear-pca"} == geometries

    def test_name_states_the_geometry_of_bundled_and_linear_candidates(self):
        for name, candidate in Registry.load().candidates.items():
            if candidate.adapter in ("bundled", "linear"):
                assert name.endswith(f"-{candidate.geometry}")

    def test_linear_candidates_are_named_after_their_basis(self):
        sources = {n: c.source for n, c in Registry.load().candidates.items() if c.adapter == "linear"}
        assert len(sources) == 17
        for name, source in sources.items():
            assert isinstance(source, LinearSource)
            assert name.startswith(f"{source.basis}-")

    def test_names_at_least_25_published_autoencoders(self):
        published = [c for c in Registry.load().candidates.values() if c.adapter not in ("bundled", "linear")]
        assert len(published) >= 25
        assert len({c.source for c in published}) == len(published)

    def test_every_hub_revision_is_marked_while_none_is_confirmed(self):
        for candidate in Registry.load().candidates.values():
            if isinstance(candidate.source, HubSource):
                assert "revision" in candidate.unverified

    def test_a_licence_that_is_unknown_is_marked(self):
        for candidate in Registry.load().candidates.values():
            assert (candidate.licence == "unknown") <= ("licence" in candidate.unverified)

    def test_published_entries_state_what_the_network_takes(self):
        for candidate in Registry.load().candidates.values():
            if candidate.adapter in ("diffusers", "ldm"):
                assert candidate.input is not None
                assert candidate.input.multiple % candidate.geometry.factor == 0

    def test_reading_it_imports_no_torch(self):
        code = "import sys, vaescreen.registry.catalogue as r; r.Registry.load(); sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class TestEntry:
    def test_fields(self, tmp_path):
        mine = load(tmp_path, ENTRY).candidate("mine")
        assert mine.source == HubSource(hub="org/name", revision="main", subfolder="vae")
        assert mine.geometry == Geometry(channels=4, factor=8)
        assert (mine.gated, mine.size_mb, mine.sha256, mine.unverified) == (False, None, None, ())

    def test_relative_path_counts_from_the_registry_file(self, tmp_path):
        text = ENTRY.replace("{hub: org/name, revision: main, subfolder: vae}", "{path: weights/mine}")
        assert load(tmp_path, text).candidate("mine").source == PathSource(path=tmp_path / "weights/mine")

    def test_cannot_be_changed(self, tmp_path):
        mine = load(tmp_path, ENTRY).candidate("mine")
        with pytest.raises(ValueError, match="frozen"):
            mine.licence = "other"

    def test_unknown_name_suggests_the_nearest(self):
        with pytest.raises(RegistryError, match=r"'sd-vae-mse'.*did you mean 'sd-vae-ft-mse'\?"):
            Registry.load().candidate("sd-vae-mse")
        with pytest.raises(RegistryError, match="vaescreen registry list"):
            Registry.load().candidate("qqqqqq")


class TestMistakes:
    @pytest.mark.parametrize(
        ("good", "bad", "line", "says"),
        [
            ("family: mine", "familly: mine", 7, "unknown key 'familly'; did you mean 'family'?"),
            ("channels: 4", "chanels: 4", 5, "did you mean 'channels'?"),
            ("subfolder: vae", "subfold: vae", 4, "unknown key 'source.subfold'; did you mean 'subfolder'?"),
            ("    licence: MIT\n", "", 2, "key 'licence' is missing"),
            ("revision: main, ", "", 4, "key 'source.revision' is missing"),
            ("factor: 8", "factor: 6", 5, "factor must be a power of two"),
            ("channels: 4", "channels: 0", 5, "channels must be at least 1"),
            ("channels: 4", "channels: four", 5, "geometry.channels"),
            ("domain: natural", "domain: medcal", 6, "domain"),
            ("adapter: diffusers", "adapter: linear", 2, "adapter linear needs a source with basis"),
            (
                "{hub: org/name, revision: main, subfolder: vae}",
                "{}",
                4,
                "hub, path, download, github, module",
            ),
            (
                "{hub: org/name, revision: main, subfolder: vae}",
                "org/name",
                4,
                "hub, path, download, github, module",
            ),
            ("hub: org/name", "hub: ../../name", 4, "source.hub"),
            ("subfolder: vae", "subfolder: ../vae", 4, "source.subfolder"),
            ("{hub: org/name, revision: main, subfolder: vae}", "{path: ../vae}", 4, "must not climb"),
            ("{hub: org/name, revision: main, subfolder: vae}", "{path: /a/../b}", 4, "must not climb"),
            ("{hub: org/name, revision: main, subfolder: vae}", '{path: "a\\0b"}', 4, "printable"),
            ("subfolder: vae", "weights: ../vae.ckpt", 4, "source.weights"),
            ("adapter: diffusers", "adapter: difusers", 3, "did you mean 'diffusers'?"),
            ("licence: MIT", 'licence: "M\\e[31mIT"', 8, "licence: must be one line of printable text"),
            ("licence: MIT", "licence: MIT\n    input: {channel: 1}", 9, "did you mean 'channels'?"),
            ("licence: MIT", "licence: MIT\n    settings: {dtype: float64}", 9, "settings.dtype"),
            ("licence: MIT", 'licence: "\\ud800"', 8, "surrogate"),
            ("licence: MIT", "licence: MIT\n    sha256: abc", 9, "sha256"),
            ("licence: MIT", "licence: MIT\n    size_mb: .nan", 9, "size_mb"),
            ("licence: MIT", "licence: MIT\n    unverified: [licens]", 9, "did you mean 'licence'?"),
            ("licence: MIT", "licence: MIT\n    licence: BSD", 9, "'licence' stands twice"),
            ("licence: MIT", "licence: MIT\n    name: other", 9, "unknown key 'name'"),
            ("licence: MIT", "licence: !!python/name:os.system", 8, "is not supported"),
            ("licence: MIT", "licence: &a MIT\n    citation: *a", 9, "aliases are not supported"),
            ("licence: MIT", "licence: [", 10, "expected"),
            ("licence: MIT", "7: MIT", 8, "a key must be text"),
            ("  mine:", "  ../mine:", 2, "name"),
            ("candidates:", "candidate:", 1, "did you mean 'candidates'?"),
        ],
    )
    def test_says_what_and_at_which_line(self, tmp_path, good, bad, line, says):
        assert good in ENTRY
        message = refusal(tmp_path, ENTRY.replace(good, bad))
        assert message.startswith(f", line {line}: ")
        assert says in message

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "line 1: expected a mapping `candidates:`"),
            (b"candidates:\n  x: 3\n", "line 2: candidate 'x' must be a mapping"),
            (b"a: 1\n\xff\n", "line 2: this is not UTF-8 text"),
            (b"candidates: \x00", "line 1"),
            (b"candidates: " + 100 * b"[", "nested too deeply"),
            (b"#" * 1_000_001, "larger than 1 MB"),
        ],
    )
    def test_file_that_is_no_registry(self, tmp_path, data, says):
        assert says in refusal(tmp_path, data)

    def test_missing_file(self, tmp_path):
        with pytest.raises(RegistryError, match=r"cannot read .*No such file"):
            Registry.load(tmp_path / "none.yaml")

    def test_counts_further_problems_of_the_entry(self, tmp_path):
        text = ENTRY.replace("licence: MIT", "licence: []").replace("domain: natural", "domain: 1")
        assert "(and 1 more in this entry)" in refusal(tmp_path, text)


class TestFiles:
    """Shipped, then the user's, then the current folder's, then the one that is asked for; the last one counts."""

    @pytest.fixture
    def folders(self, tmp_path, monkeypatch) -> tuple[Path, Path, Path]:
        folders = (tmp_path / "config", tmp_path / "here", tmp_path / "given")
        for folder in folders:
            folder.mkdir(exist_ok=True)
        monkeypatch.setenv("VAESCREEN_CONFIG", str(folders[0]))
        monkeypatch.chdir(folders[1])
        return folders

    def write(self, folder: Path, licence: str, name: str = "mine") -> Path:
        file = folder / "registry.yaml"
        file.write_text(ENTRY.replace("licence: MIT", f"licence: {licence}").replace("  mine:", f"  {name}:"))
        return file

    def test_a_later_file_wins_and_is_where_the_entry_comes_from(self, folders):
        known = Registry.load()
        assert "mine" not in known.candidates
        shipped = known.files[0]
        for depth, folder in enumerate(folders, start=1):
            file = self.write(folder, f"L{depth}")
            known = Registry.load(file if depth == 3 else None)
            assert known.candidate("mine").licence == f"L{depth}"
            assert known.origins["mine"].samefile(file)
            assert len(known.files) == depth + 1
            assert known.origins["taesd"] == shipped

    def test_an_entry_of_a_shipped_name_replaces_it_in_its_place(self, folders):
        before = list(Registry.load().candidates)
        self.write(folders[0], "mine alone", name="taesd")
        known = Registry.load()
        assert list(known.candidates) == before
        assert known.candidate("taesd").licence == "mine alone"

    def test_one_file_reached_in_two_ways_is_read_once(self, folders):
        file = self.write(folders[1], "MIT")
        assert len(Registry.load(file).files) == 2

    def test_reading_one_file_leaves_the_others_out(self, folders):
        self.write(folders[0], "MIT", name="other")
        assert list(Registry.read(self.write(folders[2], "MIT")).candidates) == ["mine"]

    def test_a_file_that_is_asked_for_must_exist(self, folders):
        with pytest.raises(RegistryError, match=r"cannot read .*nowhere"):
            Registry.load(Path("nowhere.yaml"))

    def test_a_mistake_in_the_users_own_file_is_named_with_that_file(self, folders):
        self.write(folders[0], "[]")
        with pytest.raises(RegistryError, match=r"config/registry.yaml, line 8"):
            Registry.load()

    def test_a_file_may_hold_either_section_or_both(self, tmp_path):
        data = "data:\n  ours: {title: Ours, domain: chest, source: {path: x}, licence: unknown}\n"
        both = load(tmp_path, ENTRY + data)
        assert (list(both.candidates), list(both.data)) == (["mine"], ["ours"])
        assert load(tmp_path, data).candidates == {}
        assert load(tmp_path, ENTRY).data == {}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "home/.config/vaescreen"),
        ({"XDG_CONFIG_HOME": "xdg"}, "xdg/vaescreen"),
        ({"VAESCREEN_CONFIG": "own"}, "own"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is platformdirs' word alone")
def test_configuration_folder_is_where_linux_keeps_such_things(monkeypatch, tmp_path, variables, expected):
    for key in ("XDG_CONFIG_HOME", "VAESCREEN_CONFIG"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for key, value in variables.items():
        monkeypatch.setenv(key, str(tmp_path / value))
    assert config_dir() == tmp_path / expected


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
KEYS = st.sampled_from(
    [
        "candidates",
        "adapter",
        "source",
        "geometry",
        "hub",
        "path",
        "basis",
        "channels",
        "sha256",
        "unverified",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


class TestAnyInput:
    """Whatever a file holds, it loads or it is a RegistryError of one printable line."""

    def only_registry_errors(self, folder: Path, data: bytes) -> None:
        message = ""
        try:
            load(folder, data)
        except RegistryError as error:
            message = str(error)
        assert len(message.encode().splitlines()) <= 1

    @FUZZ
    @given(data=st.binary(max_size=300))
    def test_bytes(self, tmp_path, data):
        self.only_registry_errors(tmp_path, data)

    @FUZZ
    @given(text=st.text(alphabet="ab:-[]{}'\"\\&*!|>?%@#, \n\t0x.uU~", max_size=120))
    def test_yaml_like_text(self, tmp_path, text):
        self.only_registry_errors(tmp_path, b"candidates: " + text.encode())

    @FUZZ
    @given(entry=VALUES)
    def test_well_formed_yaml(self, tmp_path, entry):
        self.only_registry_errors(tmp_path, yaml.safe_dump({"candidates": {"x": entry}}).encode())

    @FUZZ
    @given(key=KEYS, value=VALUES)
    def test_one_field_replaced(self, tmp_path, key, value):
        entry = yaml.safe_load(ENTRY)
        entry["candidates"]["mine"][key] = value
        self.only_registry_errors(tmp_path, yaml.safe_dump(entry).encode())
