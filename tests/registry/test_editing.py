"""Entries go into a registry file and out of it; every other byte stays."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaescreen.errors import RegistryError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import DATA, Registry, make_candidate
from vaescreen.registry.editing import add_entry, remove_entry, remove_named

FIELDS = {
    "adapter": "diffusers",
    "source": {"hub": "org/name", "revision": "main"},
    "geometry": {"channels": 4, "factor": 8},
    "domain": "natural",
    "family": "new",
    "licence": "MIT",
    "training_data": "photographs",
}
NEW = make_candidate("new", FIELDS)
OURS = DATA.make(
    "ours", {"title": "Ours", "domain": "chest", "source": {"path": "/images/ours"}, "licence": "none"}
)
OLD = """\
# Head: why this file is here.
candidates:

  # The first ones.

  one:   # of two
    adapter: linear
    source: {basis: dct}  # no weights
    geometry: {channels: 4, factor: 8}
    domain: none
    family: linear-dct
    licence: "MIT"
    training_data: >
      folded
      text

  'two':
    {adapter: linear, source: {basis: haar}, geometry: {channels: 4, factor: 8}, domain: none,
     family: haar, licence: MIT, training_data: none}

# Between sections.
data:
  chest: {title: Ours, domain: chest, source: {path: /images}, licence: unknown}
# Tail.
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "registry.yaml"
    path.write_bytes(OLD.encode())
    return path


class TestAdding:
    def test_the_entry_stands_after_the_last_one_and_nothing_else_changes(self, file):
        add_entry(file, NEW)
        text = file.read_text()
        before, _, after = text.partition("\n\n  new:\n")
        entry, _, tail = after.partition("\n\n# Between")
        assert before + "\n\n# Between" + tail == OLD
        assert entry.splitlines()[0] == "    adapter: diffusers"
        assert list(Registry.read(file).candidates) == ["one", "two", "new"]
        assert Registry.read(file).candidate("new") == NEW

    def test_adding_and_removing_gives_the_same_bytes(self, file):
        add_entry(file, NEW)
        remove_entry(file, "new")
        assert file.read_bytes() == OLD.encode()

    def test_a_new_file_says_what_it_is(self, tmp_path):
        file = tmp_path / "deep" / "registry.yaml"
        add_entry(file, NEW)
        assert file.read_text().startswith("# Candidates and data sets of vaescreen")
        assert Registry.read(file).candidates == {"new": NEW}

    def test_a_file_without_the_section_gets_it_at_the_end(self, file):
        before = "data:\n  chest: {title: Ours, domain: chest, source: {path: /images}, licence: unknown}"
        file.write_text(before)
        add_entry(file, NEW)
        assert file.read_text().startswith(f"{before}\ncandidates:\n  new:\n")

    def test_windows_line_ends_are_kept(self, file):
        file.write_bytes(OLD.replace("\n", "\r\n").encode())
        add_entry(file, NEW)
        data = file.read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n") > OLD.count("\n")
        remove_entry(file, "new")
        assert file.read_bytes() == OLD.replace("\n", "\r\n").encode()

    def test_a_link_to_a_registry_stays_a_link(self, file, tmp_path):
        link = tmp_path / "link.yaml"
        link.symlink_to(file)
        add_entry(link, NEW)
        assert link.is_symlink()
        assert "new" in Registry.read(file).candidates

    def test_a_path_inside_the_registrys_folder_is_written_relative_to_it(self, file, tmp_path):
        for name, place, written in (
            ("inside", tmp_path / "weights" / "a", "weights/a"),
            ("tilde", tmp_path / "~b", str(tmp_path / "~b")),
            ("outside", tmp_path.parent / "c", str(tmp_path.parent / "c")),
        ):
            candidate = make_candidate(name, FIELDS | {"source": {"path": str(place)}})
            add_entry(file, candidate)
            assert f"source: {{path: {written}}}" in file.read_text()
            assert Registry.read(file).candidate(name) == candidate

    def test_a_name_that_is_taken_is_refused(self, file):
        with pytest.raises(RegistryError, match=r"has a candidate 'one'.*registry remove one"):
            add_entry(file, make_candidate("one", FIELDS))
        assert file.read_bytes() == OLD.encode()

    @pytest.mark.parametrize(
        "text",
        [
            "candidates: {}\n",
            "{candidates: {}, data: {}}\n",
            "candidates: {one: " + json.dumps(FIELDS) + "}\n",
            "candidates:\n  ? one\n  : " + json.dumps(FIELDS) + "\n",
        ],
    )
    def test_a_layout_that_cannot_be_kept_is_refused_untouched(self, file, text):
        file.write_text(text)
        with pytest.raises(RegistryError, match="edit it by hand"):
            add_entry(file, NEW)
        assert file.read_text() == text

    def test_a_file_that_is_invalid_is_refused_untouched(self, file):
        file.write_text("candidates:\n  x: 3\n")
        with pytest.raises(RegistryError, match="line 2"):
            add_entry(file, NEW)
        assert file.read_text() == "candidates:\n  x: 3\n"


class TestDataSets:
    """Section `data` is edited as section `candidates` is, and neither touches the other."""

    def test_adding_and_removing_gives_the_same_bytes(self, file):
        before = Registry.read(file)
        add_entry(file, OURS)
        added = Registry.read(file)
        assert added.data == before.data | {"ours": OURS}
        assert added.candidates == before.candidates
        remove_entry(file, "ours", "data")
        assert file.read_bytes() == OLD.encode()

    def test_a_candidate_and_a_data_set_may_share_a_name(self, file):
        add_entry(file, DATA.make("one", OURS.model_dump()))
        assert list(Registry.read(file).candidates) == ["one", "two"]
        assert list(Registry.read(file).data) == ["chest", "one"]

    def test_a_name_that_is_taken_is_refused(self, file):
        with pytest.raises(RegistryError, match=r"has a data set 'chest'.*`vaescreen data remove chest`"):
            add_entry(file, DATA.make("chest", OURS.model_dump()))
        assert file.read_bytes() == OLD.encode()

    def test_a_path_inside_the_registrys_folder_is_written_relative_to_it(self, file, tmp_path):
        inside = DATA.make("inside", OURS.model_dump() | {"source": {"path": str(tmp_path / "images")}})
        add_entry(file, inside)
        assert "source: {path: images}" in file.read_text()
        assert Registry.read(file).data_set("inside") == inside

    def test_one_that_ships_is_not_removed(self):
        with pytest.raises(RegistryError, match="comes with the package"):
            remove_named("mrnet", section="data")


class TestRemoving:
    @pytest.mark.parametrize("name", ["one", "two"])
    def test_comments_outside_the_entry_and_the_order_stay(self, file, name):
        remove_entry(file, name)
        assert list(Registry.read(file).candidates) == [other for other in ("one", "two") if other != name]
        left = file.read_text()
        for comment in ("# Head: why", "# The first ones.", "# Between sections.", "# Tail."):
            assert comment in left

    def test_the_last_entry_leaves_an_empty_section_that_takes_another(self, file):
        for name in ("one", "two"):
            remove_entry(file, name)
        assert Registry.read(file).candidates == {}
        add_entry(file, NEW)
        assert Registry.read(file).candidates == {"new": NEW}
        assert "# The first ones." in file.read_text()

    def test_an_entry_of_the_package_cannot_be_removed(self):
        with pytest.raises(RegistryError, match="comes with the package"):
            remove_named("taesd")

    def test_an_entry_is_removed_from_the_file_that_it_counts_from(self, file, tmp_path, monkeypatch):
        monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path))
        assert remove_named("one") == file
        assert "one" not in Registry.read(file).candidates


PRINTABLE = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" :#'\"{}[],&*!|>%@`-?~"), min_size=1
).filter(lambda text: bool(text.strip()))
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
CANDIDATES = st.builds(
    lambda name, optional, **fields: make_candidate(name, FIELDS | optional | fields),
    NAMES,
    st.fixed_dictionaries(
        {},
        optional={
            "citation": PRINTABLE,
            "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
            "size_mb": st.floats(1e-3, 1e6),
            "gated": st.booleans(),
            "unverified": st.lists(st.sampled_from(["licence", "geometry", "revision"]), unique=True),
            "input": st.fixed_dictionaries({"channels": st.integers(1, 4), "multiple": st.integers(1, 256)}),
            "settings": st.fixed_dictionaries(
                {"value_range": st.just([0, 1]), "posterior": st.just("sample")}
            ),
        },
    ),
    licence=PRINTABLE,
    training_data=PRINTABLE,
    geometry=st.fixed_dictionaries(
        {"channels": st.integers(1, 512), "factor": st.sampled_from([1, 2, 4, 8, 32])}
    ),
    source=st.one_of(
        st.fixed_dictionaries(
            {
                "hub": st.just("org/name"),
                "revision": st.sampled_from(["main", "1e5", "007", "0x1F", "true", "null"]),
            },
            optional={"subfolder": st.sampled_from(["vae", "1_000", "no"])},
        ),
        st.builds(lambda part: {"path": "/" + part.replace("/", "_").replace("..", "_")}, PRINTABLE),
    ),
)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


class TestAnyEntry:
    """Whatever a valid entry says, it is written so that it is read back the same, and comes out without a trace."""

    @FUZZ
    @given(candidate=CANDIDATES)
    def test_survives_a_round_trip(self, file, candidate: Candidate):
        if candidate.name in ("one", "two"):
            return
        file.write_bytes(OLD.encode())
        add_entry(file, candidate)
        assert Registry.read(file).candidate(candidate.name) == candidate
        remove_entry(file, candidate.name)
        assert file.read_bytes() == OLD.encode()

    @settings(FUZZ, max_examples=20)
    @given(candidates=st.lists(CANDIDATES, max_size=4, unique_by=lambda c: c.name), data=st.data())
    def test_order_and_the_other_entries_survive(self, tmp_path, candidates, data):
        file = tmp_path / "own.yaml"
        file.write_text("candidates:\n# kept\n")
        for candidate in candidates:
            add_entry(file, candidate)
        names = [candidate.name for candidate in candidates]
        assert list(Registry.read(file).candidates) == names
        for name in data.draw(st.permutations(names)):
            remove_entry(file, name)
            names.remove(name)
            assert list(Registry.read(file).candidates) == names
            assert "# kept" in file.read_text()


def test_every_shipped_entry_survives_a_round_trip(file) -> None:
    for name, candidate in Registry.load().candidates.items():
        file.write_text("# Nothing yet.\n")
        add_entry(file, candidate)
        assert Registry.read(file).candidates == {name: candidate}
