"""A registry file runs code and reads outside its folder when the user says so, for this run or for good."""

import shutil
from pathlib import Path

import pytest

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.weights import locate
from vaescreen.errors import CandidateError, DataError, RegistryError
from vaescreen.images.naming import place_of
from vaescreen.registry.catalogue import Registry, user_file
from vaescreen.registry.editing import add_entry
from vaescreen.registry.trust import is_trusted, trust
from vaescreen.screening.adding import Statement, draft

MODULE = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(1, 1, 1)

    def encode(self, images):
        return images

    def decode(self, latents):
        return latents
"""
ENTRY = """
candidates:
  mine:
    adapter: module
    source: {{module: "{module}:Network", folder: .}}
    geometry: {{channels: 1, factor: 1}}
    input: {{channels: 1, multiple: 1}}
    domain: none
    family: mine
    licence: MIT
    training_data: none
"""


@pytest.fixture
def file(tmp_path):
    for name in ("first_module", "second_module"):
        (tmp_path / f"{name}.py").write_text(MODULE)
    path = tmp_path / "registry.yaml"
    path.write_text(ENTRY.format(module="first_module"))
    return path


def candidate(file):
    return Registry.read(file).candidate("mine")


def test_it_is_refused_with_what_to_do(file):
    with pytest.raises(
        CandidateError, match="runs code, first_module:Network; if you trust that file, give --trust"
    ):
        open_autoencoder(candidate(file))


def test_a_yes_holds_for_the_entry_as_it_was(file, tmp_path):
    trust(file, candidate(file))
    assert open_autoencoder(candidate(file)).geometry == (1, 1)
    file.write_text(ENTRY.format(module="second_module"))
    assert not is_trusted(file, candidate(file))
    with pytest.raises(CandidateError, match="runs code, second_module:Network"):
        open_autoencoder(candidate(file))


def test_no_entry_can_say_yes_for_itself(file):
    text = file.read_text()
    file.write_text(text + "    _doubtful: null\n")
    with pytest.raises(Exception, match="_doubtful"):
        candidate(file)


def test_the_users_own_file_is_trusted(file):
    own = user_file()
    own.parent.mkdir(parents=True)
    own.write_text(file.read_text().replace("folder: .", f"folder: '{file.parent}'"))
    assert candidate(own).doubtful is None


NETWORK = """
candidates:
  mine:
    adapter: diffusers
    source: {{path: {path}}}
    geometry: {{channels: 1, factor: 4}}
    domain: none
    family: mine
    licence: MIT
    training_data: none
"""
IMAGES = """
data:
  theirs: {{title: Theirs, domain: chest, source: {{path: {path}}}, licence: unknown}}
"""


class TestPathsThatLeadOutside:
    """An entry of somebody else's file reads what lies beside it and no more, until the user says so."""

    @pytest.fixture
    def weights(self, tmp_path):
        """A trained network, in a folder that is not the registry file's."""
        files = locate(Registry.load().candidate("generic-f4c1"))
        return Path(shutil.copytree(files.weights.parent, tmp_path / "elsewhere"))

    @pytest.fixture
    def theirs(self, tmp_path):
        folder = tmp_path / "theirs"
        folder.mkdir()
        return folder / "registry.yaml"

    @pytest.fixture(params=["absolute", "link to the folder", "links to the files"])
    def path(self, request, weights, theirs):
        if request.param == "absolute":
            return weights
        inside = theirs.parent / "network"
        if request.param == "link to the folder":
            inside.symlink_to(weights)
        else:
            inside.mkdir()
            for file in weights.iterdir():
                (inside / file.name).symlink_to(file)
        return "network"

    def test_each_form_is_refused_until_the_user_says_yes(self, theirs, path):
        theirs.write_text(NETWORK.format(path=path))
        with pytest.raises(
            CandidateError, match=r"reads .*, outside the folder of that file; if you trust .* give --trust"
        ):
            open_autoencoder(candidate(theirs))
        assert trust(theirs, candidate(theirs)).startswith("read ")
        assert open_autoencoder(candidate(theirs)).geometry == (1, 4)

    def test_what_lies_beside_the_file_is_read(self, theirs, weights):
        weights.rename(theirs.parent / "network")
        theirs.write_text(NETWORK.format(path="network"))
        assert open_autoencoder(candidate(theirs)).geometry == (1, 4)

    def test_what_the_user_added_is_read(self, theirs, weights, path):
        where = path if isinstance(path, Path) else theirs.parent / path
        add_entry(theirs, draft(str(where), Statement(name="mine")))
        assert open_autoencoder(candidate(theirs)).geometry == (1, 4)

    def test_another_path_is_asked_for_again(self, theirs, weights, tmp_path):
        theirs.write_text(NETWORK.format(path=weights))
        trust(theirs, candidate(theirs))
        other = shutil.copytree(weights, tmp_path / "other")
        theirs.write_text(NETWORK.format(path=other))
        with pytest.raises(CandidateError, match="outside the folder"):
            open_autoencoder(candidate(theirs))

    def test_climbing_is_refused_when_the_file_is_read(self, theirs):
        theirs.write_text(NETWORK.format(path="../elsewhere"))
        with pytest.raises(RegistryError, match="must not climb"):
            candidate(theirs)

    @pytest.mark.parametrize("form", ["absolute", "link"])
    def test_images_too(self, theirs, tmp_path, form):
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        (theirs.parent / "link").symlink_to(pictures)
        theirs.write_text(IMAGES.format(path=pictures if form == "absolute" else "link"))
        with pytest.raises(DataError, match=r"theirs: its entry in .* outside the folder of that file"):
            place_of(Registry.read(theirs).data_set("theirs"))
        trust(theirs, Registry.read(theirs).data_set("theirs"))
        assert place_of(Registry.read(theirs).data_set("theirs")).samefile(pictures)
