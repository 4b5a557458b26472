"""Entries of data sets: what ships, what one may say, and how a mistake is reported."""

from pathlib import Path

import pytest

from vaescreen.errors import RegistryError
from vaescreen.registry.catalogue import Registry, shipped_file
from vaescreen.registry.data_sources import CredentialedData, FolderData, HubData, WebData
from vaescreen.registry.reading import Reading, Window

ENTRY = """\
data:
  # ours
  ward:
    title: Our ward
    domain: chest
    source: {path: images}
    licence: none
"""
FILE = "{url: 'https://x.org/a.zip'}"


def load(folder: Path, text: str) -> Registry:
    path = folder / "registry.yaml"
    path.write_text(text)
    return Registry.read(path)


def with_source(source: str) -> str:
    return ENTRY.replace("{path: images}", source)


class TestShipped:
    def test_names_the_data_of_the_paper_and_open_ones(self):
        data = Registry.read(shipped_file()).data
        assert {"mrnet", "brats-2023", "mimic-cxr"} <= set(data)
        assert {entry.domain for entry in data.values()} == {"chest", "brain", "knee", "natural"}
        for domain in ("chest", "brain", "knee", "natural"):
            fetchable = [e for e in data.values() if isinstance(e.source, HubData | WebData)]
            assert any(entry.domain == domain for entry in fetchable)

    def test_every_entry_says_what_it_costs_and_whom_to_name(self):
        for entry in Registry.read(shipped_file()).data.values():
            assert entry.citation, entry.name
            assert entry.preparation, entry.name
            assert not isinstance(entry.source, FolderData)
            assert "source" in entry.unverified, "none could be reached when the entries were written"
            if isinstance(entry.source, CredentialedData):
                assert entry.terms, entry.name

    def test_published_split_sizes_of_the_paper(self):
        data = Registry.read(shipped_file()).data
        assert data["mrnet"].counts.test == 120
        assert data["brats-2023"].counts.test == 700 == 35 * (data["brats-2023"].slices_per_volume or 0)
        assert data["mimic-cxr"].counts.test == 1000

    def test_the_published_hash_of_task01(self):
        source = Registry.read(shipped_file()).data["msd-brain"].source
        assert isinstance(source, WebData)
        assert source.urls[0].md5 == "240a19d752f0d9e9101544901065d872"


class TestEntry:
    def test_a_relative_path_counts_from_the_registry_file(self, tmp_path):
        assert load(tmp_path, ENTRY).data_set("ward").source == FolderData(path=tmp_path / "images")

    def test_reading(self, tmp_path):
        text = ENTRY + "    reading: {axis: coronal, slices: [0.25, 0.5], window: '40,400'}\n"
        fields = load(tmp_path, text).data_set("ward").reading
        assert fields.reading() == Reading("coronal", (0.25, 0.5), Window("level", (40, 400)))

    def test_unknown_name_suggests_the_nearest(self):
        with pytest.raises(RegistryError, match=r"no data set is called 'mrnets'.*did you mean 'mrnet'\?"):
            Registry.load().data_set("mrnets")

    @pytest.mark.parametrize(
        "url",
        [
            "https://x.org/a.zip",
            "https://x.org:8443/~me/a%20b.zip",
            "http://127.0.0.1:80/a.zip",
            "http://localhost/a",
        ],
    )
    def test_addresses(self, tmp_path, url):
        load(tmp_path, with_source(f"{{urls: [{{url: '{url}'}}]}}"))

    @pytest.mark.parametrize(
        "url",
        ["http://x.org/a.zip", "file:///etc/passwd", "https://x.org", "https://x.org/a.zip?token=1", "ftp://x.org/a",
         "http://127.0.0.1.evil.org/a"],
    )  # fmt: skip
    def test_other_addresses_are_refused(self, tmp_path, url):
        with pytest.raises(RegistryError, match=r"line 6: data set 'ward': source\.urls\.0\.url"):
            load(tmp_path, with_source(f"{{urls: [{{url: '{url}'}}]}}"))


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        (ENTRY.replace("title", "titel"), 4, "unknown key 'titel'; did you mean 'title'?"),
        (ENTRY.replace("    licence: none\n", ""), 3, "key 'licence' is missing"),
        (ENTRY.replace("domain: chest", "domain: lung"), 5, "domain: must be 'chest'"),
        (ENTRY.replace("ward:", "Ward:"), 3, "name: 'Ward' is none; use lower-case letters"),
        (ENTRY.replace("ward:", "chest-phantom:"), 3, "names that end in -phantom mean phantoms"),
        (with_source("{hub: org/name}"), 6, "key 'source.revision' is missing"),
        (with_source("{hub: org/name, revision: main, file: x}"), 6, "did you mean 'files'?"),
        (
            with_source("{}"),
            6,
            "source: must be a mapping with one of the keys hub, urls, path, credentialed",
        ),
        (with_source("{urls: []}"), 6, "source.urls: give at least one file"),
        (with_source(f"{{urls: [{FILE}, {FILE}]}}"), 6, "two files are called a.zip"),
        (with_source("{urls: [{url: 'https://x.org/a.zip', md: 1}]}"), 6, "did you mean 'md5'?"),
        (with_source("{urls: [{url: 'https://x.org/a.zip', md5: abc}]}"), 6, "source.urls.0.md5"),
        (with_source("{urls: [{url: 'https://x.org/.complete.json'}]}"), 6, "is no file name"),
        (with_source("{path: ../images}"), 6, "must not climb with `..`"),
        (ENTRY + "    layout: brat\n", 3, "no layout is called 'brat'; did you mean 'brats'?"),
        (ENTRY + "    layout: mrnet\n    series: t2f\n", 3, "give one of sagittal, coronal, axial"),
        (ENTRY + "    series: t2f\n", 3, "layout folder has no series 't2f'; leave it out"),
        (ENTRY + "    layout: mrnet\n    patients: '(x)'\n", 3, "names the patients itself"),
        (ENTRY + "    patients: 'x'\n", 8, "has no group"),
        (ENTRY + "    patients: '('\n", 8, "is not a regular expression"),
        (ENTRY + "    reading: {window: dark}\n", 8, "window 'dark' is not understood"),
        (ENTRY + "    reading: {axes: axial}\n", 8, "did you mean 'axis'?"),
        (ENTRY + "    reading: {slices: [0.5, 0.2]}\n", 8, "must be two rising fractions"),
        (ENTRY + "    size: 30\n", 8, "is not a positive multiple of 8"),
        (ENTRY + "    stands_for: chest-phantom\n", 8, "always means the phantoms"),
        (ENTRY + "    subfolder: ../x\n", 8, "subfolder: '../x' is none"),
        (ENTRY + "    unverified: [licenc]\n", 8, "no field is called 'licenc'; did you mean 'licence'?"),
        (ENTRY + "    name: ward\n", 8, "the key of the entry is its name"),
        ("data:\n  ward: folder\n", 2, "data set 'ward' must be a mapping of fields"),
        ("data: [ward]\n", 1, "expected a mapping `data:` from names to entries"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, text, line, complaint):
    with pytest.raises(RegistryError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'registry.yaml'}, line {line}: ")
    assert complaint in message
    assert "\n" not in message
