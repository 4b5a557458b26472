"""A folder, a factory or a repository never seen before becomes a complete entry."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub import Hub

from vaescreen.autoencoders.weights import locate
from vaescreen.errors import CandidateError, RegistryError
from vaescreen.images import DataSet, open_data
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.sources import HubSource, ModuleSource, PathSource
from vaescreen.screening.adding import Statement, add_candidate, draft
from vaescreen.screening.origin import origin_of

STATED = Statement(domain="medical", licence="MIT", training_data="X-rays")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_data("chest", size=64, train_images=4, test_images=3)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A trained network in diffusers format, in a folder with an awkward name."""
    files = locate(Registry.load().candidate("medical-f4c3"))
    folder = tmp_path / "My VAE (final)"
    folder.mkdir()
    for file in (files.config, files.weights):
        shutil.copy(file, folder)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "own" / "registry.yaml"


def test_a_folder_is_measured(weights, file, data) -> None:
    added = add_candidate(str(weights), file, data, statement=STATED)
    entry = Registry.read(file).candidate("my-vae-final")
    assert entry == added.candidate
    assert entry.adapter == "diffusers"
    assert entry.source == PathSource(path=weights)
    assert entry.geometry == (3, 4)
    assert entry.input is not None
    assert (entry.input.channels, entry.input.multiple) == (1, 4)
    stored = (weights / "diffusion_pytorch_model.safetensors").read_bytes()
    assert entry.sha256 == hashlib.sha256(stored).hexdigest()
    assert entry.size_mb == pytest.approx(len(stored) / 1e6, abs=0.005)
    assert entry.unverified == ()
    assert not added.examination.refused


def test_what_is_not_stated_is_marked_as_unverified(weights, file, data) -> None:
    entry = add_candidate(str(weights), file, data, statement=Statement(name="mine", licence="MIT")).candidate
    assert entry.unverified == ("domain", "training_data")
    assert (entry.name, entry.family, entry.licence, entry.training_data) == (
        "mine",
        "mine",
        "MIT",
        "unknown",
    )


def test_one_that_is_refused_is_not_added(tiny_kl, tmp_path, file, data) -> None:
    tiny_kl().save_pretrained(tmp_path / "untrained")
    with pytest.raises(
        CandidateError, match=r"^untrained: refused \(fidelity\): .*does not reconstruct; see that"
    ):
        add_candidate(str(tmp_path / "untrained"), file, data)
    assert not file.exists()


def test_a_name_that_is_taken_or_invalid_is_refused(weights, file, data) -> None:
    add_candidate(str(weights), file, data)
    before = file.read_bytes()
    with pytest.raises(RegistryError, match="has a candidate 'my-vae-final'"):
        add_candidate(str(weights), file, data)
    with pytest.raises(RegistryError, match="domain"):
        add_candidate(str(weights), file, data, statement=Statement(name="b", domain="medcal"))
    with pytest.raises(RegistryError, match="name"):
        add_candidate(str(weights), file, data, statement=Statement(name="Not a name"))
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("page", "source"),
    [
        ("https://huggingface.co/org/name", {"revision": "main"}),
        ("https://hf.co/org/name/", {"revision": "main"}),
        ("https://huggingface.co/org/name/tree/v1/vae", {"revision": "v1", "subfolder": "vae"}),
        (
            "https://huggingface.co/org/name/blob/main/a/b/x.safetensors?download=true",
            {"revision": "main", "subfolder": "a/b", "weights": "x.safetensors"},
        ),
        ("https://huggingface.co/org/name/resolve/main/x.ckpt", {"revision": "main", "weights": "x.ckpt"}),
    ],
)
def test_the_address_of_a_page_of_the_hub(page, source) -> None:
    assert origin_of(page, Statement()) == ("diffusers", {"hub": "org/name", **source}, "name")


def test_addresses_that_name_no_repository() -> None:
    with pytest.raises(RegistryError, match="is an address; fetch what lies there"):
        origin_of("https://example.org/vae.safetensors", Statement())
    with pytest.raises(RegistryError, match="--revision contradicts the address"):
        origin_of("https://huggingface.co/org/name/tree/v1", Statement(revision="v2"))


def test_neither_folder_nor_factory_nor_repository(file, data) -> None:
    with pytest.raises(RegistryError, match="is no existing folder or file"):
        add_candidate("./nowhere/at/all", file, data)


FACTORY = """
import torch

class Pooled(torch.nn.Module):
    '''Halves a colour image; latents are its channels. Darker than 0 is black to it.'''
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 3, 1)
    def encode(self, x):
        return torch.nn.functional.pixel_unshuffle(x.clamp(min=0), 2)
    def decode(self, z):
        return torch.nn.functional.pixel_shuffle(z, 2)

def make():
    return Pooled()
"""


def test_a_factory_in_the_current_folder_is_measured_and_given_the_range_it_wants(
    tmp_path, monkeypatch, file, data
) -> None:
    (tmp_path / "pooled_vae.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    entry = add_candidate("pooled_vae:make", file, data, statement=STATED).candidate
    assert entry.name == "make"
    assert entry.source == ModuleSource(module="pooled_vae:make", folder=tmp_path)
    assert entry.geometry == (12, 2)
    assert entry.input is not None
    assert entry.input.channels == 3
    assert entry.settings.value_range == (0, 1)
    assert "value_range: [0" in file.read_text()


@pytest.mark.slow
def test_a_repository_is_fetched_and_its_commit_pinned(weights, tmp_path) -> None:
    repository = tmp_path / "hub" / "org" / "model" / "vae"
    shutil.copytree(weights, repository)
    with Hub(tmp_path / "hub") as hub:
        environment = hub.environment(tmp_path / "home") | {"VAESCREEN_CONFIG": str(tmp_path / "config")}
        code = "import sys; from vaescreen.cli import main; sys.argv[0] = 'vaescreen'; main()"
        command = ("registry", "add", "org/model", "--subfolder", "vae", "--licence", "MIT", "--size", "64")
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        entry = Registry.read(tmp_path / "config" / "registry.yaml").candidate("model")
        assert entry.source == HubSource(hub="org/model", revision=hub.commit("org/model"), subfolder="vae")
    assert entry.geometry == (3, 4)
    assert entry.unverified == ("domain", "training_data")


@pytest.mark.parametrize(
    ("spec", "option", "what"),
    [
        ("FOLDER", {"revision": "main"}, "--revision means nothing for a path"),
        ("FILE", {"subfolder": "vae"}, "--subfolder means nothing for a weight file"),
        ("FILE", {"variant": "fp16"}, "--variant means nothing for a weight file"),
        ("FOLDER", {"weights": "a.bin", "variant": "fp16"}, "--variant means nothing beside --weights"),
        ("json:loads", {"subfolder": "vae"}, "--subfolder means nothing for a factory"),
        ("json:loads", {"revision": "main"}, "--revision means nothing for a factory"),
        ("medvae:medvae_4_3_2d", {"weights": "a.ckpt"}, "--weights means nothing for a model of medvae"),
        ("medvae:medvae_4_3", {}, "medvae has no 2-D model 'medvae_4_3'; did you mean 'medvae_4_3_2d'"),
    ],
)
def test_an_option_that_would_do_nothing_is_an_error(weights, spec, option, what) -> None:
    files = {"FOLDER": weights, "FILE": weights / "diffusion_pytorch_model.safetensors"}
    with pytest.raises(RegistryError, match=what):
        draft(str(files.get(spec, spec)), Statement(**option))


def test_options_for_a_folder(weights) -> None:
    plain = weights / "diffusion_pytorch_model.safetensors"
    (weights / "inside").mkdir()
    plain.rename(weights / "inside" / "mine.safetensors")
    (weights / "config.json").rename(weights / "inside" / "mine.json")
    entry = draft(str(weights), Statement(subfolder="inside", weights="mine.safetensors", config="mine.json"))
    assert entry.geometry == (3, 4)
    again = draft(str(weights), Statement(weights="inside/mine.safetensors", config="inside/mine.json"))
    assert again.sha256 == entry.sha256


def test_a_mistyped_path_is_a_missing_path(weights, monkeypatch) -> None:
    monkeypatch.chdir(weights.parent.parent)
    spec = f"{weights.parent.name}/My VAE (finel)"
    with pytest.raises(RegistryError, match="is no existing folder or file"):
        draft(spec, Statement())
    (weights.parent / "my-vae").mkdir()
    with pytest.raises(RegistryError, match="did you mean 'my-vae'"):
        draft(f"{weights.parent.name}/my-vea", Statement())


def test_a_stated_range_counts(weights, file, data) -> None:
    with pytest.raises(
        CandidateError,
        match=r"refused \(value range, fidelity\).*write `settings: \{value_range: \[-1, 1\]\}`",
    ):
        add_candidate(str(weights), file, data, statement=Statement(value_range=(0, 255)))
    added = add_candidate(str(weights), file, data, statement=Statement(value_range=(-1, 1)))
    assert added.candidate.settings.value_range == (-1, 1)
