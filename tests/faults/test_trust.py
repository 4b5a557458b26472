"""Code of a registry file runs when the user says so, for this run or for good."""

import pytest

from vaescreen.autoencoders import open_autoencoder
from vaescreen.errors import CandidateError
from vaescreen.registry.catalogue import Registry, user_file
from vaescreen.registry.trust import is_trusted, trust

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
