"""A user's own module by `module:factory`, and an adapter that an installed package brings."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.weights import available
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

MODULE = """
import torch
from torch import nn


class Codec(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Conv2d(channels, 6, 4, 4)
        self.up = nn.ConvTranspose2d(6, channels, 4, 4)

    def encode(self, x):
        assert -1 <= x.min() and x.max() <= 1
        return self.down(x)

    def decode(self, z):
        return self.up(z)


class Gray(Codec):
    def __init__(self):
        super().__init__(1)


class Wrapped(Codec):
    def encode(self, x):
        return self.down(x), "more"

    def decode(self, z):
        return type("Output", (), {"sample": self.up(z)})


class Mute(Codec):
    def encode(self, x):
        return None


class Whole:
    geometry = (6, 4)
    fingerprint = "own"

    def encode(self, images):
        return torch.nn.functional.pixel_unshuffle(images, 4)[:, :6]

    def decode(self, latents, size):
        return latents.new_zeros(len(latents), 1, *size)


def broken():
    raise ValueError("no\\nweights here")


def nothing():
    return 5
"""
PLUGIN = """
import torch
from vaescreen.autoencoders.contract import Geometry


class Blocks:
    geometry = Geometry(1, 8)
    fingerprint = "blocks-1"

    def __init__(self, device):
        self.device = device

    def encode(self, images):
        return torch.nn.functional.avg_pool2d(images, 8)

    def decode(self, latents, size):
        return torch.nn.functional.interpolate(latents, size=size)


def open_blocks(candidate, device):
    return Blocks(device)
"""
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "block-means"
version = "1.0"

[project.entry-points."vaescreen.autoencoders"]
blocks = "block_means:open_blocks"
"""
USE_PLUGIN = """
import sys
import torch
from pathlib import Path
from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.weights import available
from vaescreen.registry.catalogue import Registry

candidate = Registry.load(Path(sys.argv[1])).candidate("mine")
assert available(candidate)
autoencoder = open_autoencoder(candidate, device="cpu")
images = torch.rand(1, 1, 16, 24)
print(tuple(autoencoder.encode(images).shape), autoencoder.device, fingerprint_of(candidate))
"""


def fields(factory: str = "Codec", folder: Path | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "mine",
        "adapter": "module",
        "source": {"module": f"my_codec:{factory}", **({"folder": str(folder)} if folder else {})},
        "geometry": {"channels": 6, "factor": 4},
        "domain": "none",
        "family": "test",
        "licence": "MIT",
        "training_data": "none",
        **more,
    }


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "my_codec.py").write_text(MODULE)
    monkeypatch.delitem(sys.modules, "my_codec", raising=False)
    yield tmp_path
    sys.modules.pop("my_codec", None)


def images() -> torch.Tensor:
    return torch.rand(2, 1, 17, 20, generator=torch.Generator().manual_seed(1))


class TestModule:
    def open(self, factory: str, folder: Path, **more: Any) -> Autoencoder:
        return open_autoencoder(Candidate.model_validate(fields(factory, folder, **more)))

    @pytest.mark.parametrize(("factory", "channels"), [("Codec", 3), ("Gray", 1), ("Wrapped", 3)])
    @torch.no_grad()
    def test_is_put_behind_the_contract(self, folder, factory, channels):
        ours = self.open(factory, folder)
        model = getattr(sys.modules["my_codec"], factory)()
        x = F.pad(images(), (0, 0, 0, 3), mode="reflect").repeat(1, channels, 1, 1)
        expected = model.down(2 * x - 1)
        torch.testing.assert_close(ours.encode(images()), expected, atol=1e-6, rtol=0)
        decoded = (model.up(expected).mean(dim=1, keepdim=True) / 2 + 0.5).clamp(0, 1)
        torch.testing.assert_close(ours.decode(expected, (17, 20)), decoded[..., :17, :20], atol=1e-6, rtol=0)
        assert isinstance(ours, Autoencoder)

    def test_value_range_of_the_entry(self, folder):
        plain = self.open("Codec", folder).encode(images())
        other = self.open("Codec", folder, settings={"value_range": [0, 1]}).encode(images())
        assert (plain - other).abs().max() > 0.1

    def test_an_autoencoder_is_used_as_it_is(self, folder):
        ours = self.open("Whole", folder)
        assert ours.fingerprint == "own"
        assert torch.equal(
            ours.encode(images()[..., :16, :]), F.pixel_unshuffle(images()[..., :16, :], 4)[:, :6]
        )

    def test_fingerprint_follows_code_and_weights(self, folder):
        candidate = Candidate.model_validate(fields("Codec", folder))
        first = fingerprint_of(candidate)
        assert first == open_autoencoder(candidate).fingerprint
        for old, new in (("manual_seed(0)", "manual_seed(1)"), ("self.up(z)", "self.up(2 * z)")):
            sys.modules.pop("my_codec")
            (folder / "my_codec.py").write_text(MODULE.replace(old, new) + "# changed\n")
            assert fingerprint_of(candidate) != first

    def test_modules_of_one_name_in_two_folders(self, folder, tmp_path_factory):
        other = tmp_path_factory.mktemp("other")
        (other / "my_codec.py").write_text(MODULE.replace("manual_seed(0)", "manual_seed(1)"))
        first = self.open("Codec", folder).encode(images())
        assert not torch.equal(self.open("Codec", other).encode(images()), first)
        assert torch.equal(self.open("Codec", folder).encode(images()), first)
        assert fingerprint_of(Candidate.model_validate(fields("Codec", other))) != fingerprint_of(
            Candidate.model_validate(fields("Codec", folder))
        )

    def test_availability_needs_no_import(self, folder):
        assert available(Candidate.model_validate(fields("Codec", folder)))
        assert not available(Candidate.model_validate(fields("Codec", folder / "elsewhere")))
        assert "my_codec" not in sys.modules

    @pytest.mark.parametrize(
        ("factory", "more", "says"),
        [
            ("broken", {}, "my_codec:broken fails (ValueError: no weights here)"),
            ("nothing", {}, "gives a int; a torch.nn.Module with encode and decode"),
            ("Missing", {}, "my_codec has no callable 'Missing'"),
            (
                "Codec",
                {"geometry": {"channels": 6, "factor": 8}},
                "gives latents of shape (6, 6, 6) where (6, 3, 3)",
            ),
            (
                "Whole",
                {"settings": {"dtype": "float16"}},
                "gives a finished autoencoder, which has no settings",
            ),
            ("Mute", {}, "mine: encode gives a NoneType, in which no latents are found"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, folder, factory, more, says):
        with pytest.raises(CandidateError) as caught:
            self.open(factory, folder, **more).encode(images())
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_module_that_cannot_be_imported(self, tmp_path):
        candidate = Candidate.model_validate(fields("Codec", tmp_path / "empty"))
        with pytest.raises(CandidateError, match="mine: importing my_codec fails"):
            open_autoencoder(candidate)


class TestInstalledPackage:
    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory) -> Path:
        """Folder into which a package with an adapter was really installed."""
        pytest.importorskip("hatchling", reason="hatchling is needed to build a package")
        project, site = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
        (project / "pyproject.toml").write_text(PYPROJECT)
        (project / "block_means.py").write_text(PLUGIN)
        install = [
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-build-isolation",
            "--target",
            site,
            project,
        ]
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, install)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if "No module named pip" in done.stderr:
            pytest.skip("pip is not installed")
        assert done.returncode == 0, done.stderr
        return site

    def test_brings_an_adapter(self, site, tmp_path):
        entry = fields() | {
            "adapter": "blocks",
            "source": {"path": "."},
            "geometry": {"channels": 1, "factor": 8},
        }
        entry.pop("name")
        (tmp_path / "registry.yaml").write_text(json.dumps({"candidates": {"mine": entry}}))
        code = f"import sys; sys.path.insert(0, {str(site)!r})\n" + USE_PLUGIN
        command = [sys.executable, "-c", code, str(tmp_path / "registry.yaml")]
        child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert child.returncode == 0, child.stderr
        assert child.stdout == "(1, 1, 2, 3) cpu blocks-1\n"

    def test_that_is_missing_is_named(self):
        candidate = Candidate.model_validate(fields()).model_copy(update={"adapter": "blocks"})
        assert not available(candidate)
        with pytest.raises(CandidateError, match="mine: no installed package brings the adapter 'blocks'"):
            open_autoencoder(candidate)
