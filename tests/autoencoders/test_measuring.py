"""What a factory gives: measured where it is an autoencoder, and else said in one line with what to give instead."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.measuring import measure_module
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import ModuleSource

FACTORIES = """
import torch
from torch import nn
from torch.nn import functional as F

class Pooled(nn.Module):
    '''Latents are the mean of the channels, the pixels of a 2x2 square one channel each.'''
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        nn.init.dirac_(self.first.weight), nn.init.zeros_(self.first.bias)
    def encode(self, x):
        return F.pixel_unshuffle(self.first(x).mean(1, keepdim=True), 2)
    def decode(self, z):
        assert z.shape[1] == 4, "four channels are due"
        return F.pixel_shuffle(z, 2).repeat(1, 3, 1, 1)

class Moments(Pooled):
    def encode(self, x):
        mean = super().encode(x)
        return torch.cat([mean, torch.zeros_like(mean)], dim=1)

class InPlace(Pooled):
    def encode(self, x):
        return super().encode(x.mul_(1.0))

class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
    @torch.jit.export
    def encode(self, x):
        return F.pixel_unshuffle(x.mean(1, keepdim=True), 2)
    @torch.jit.export
    def decode(self, z):
        return F.pixel_shuffle(z, 2).repeat(1, 3, 1, 1)

class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.unet, self.vae = nn.Conv2d(3, 3, 1), Pooled()

class Complex(Pooled):
    def encode(self, x):
        return torch.fft.fft2(super().encode(x))

class Plain:
    encode, decode = Pooled.encode, Pooled.decode

class OnAGpu(Pooled):
    def encode(self, x):
        raise NotImplementedError

half = lambda: Pooled().half()
double = lambda: Pooled().double()
scripted = lambda: torch.jit.script(Scripted())
parallel = lambda: nn.DataParallel(Pooled())
pair = lambda: ({"a": 1}, Pooled())
def exits(): raise SystemExit(3)
"""


@pytest.fixture
def candidate(tmp_path: Path) -> Callable[[str], Candidate]:
    (tmp_path / "factories.py").write_text(FACTORIES)

    def made(factory: str) -> Candidate:
        fields = {
            "name": "mine",
            "adapter": "module",
            "source": {"module": f"factories:{factory}", "folder": tmp_path},
            "geometry": {"channels": 4, "factor": 2},
            "input": {"channels": 3, "multiple": 2},
            "domain": "none",
            "family": "mine",
            "licence": "MIT",
            "training_data": "none",
        }
        return Candidate.model_validate(fields)

    return made


@pytest.mark.parametrize("factory", ["Pooled", "half", "double", "InPlace", "scripted"])
def test_networks_of_any_precision_and_kind(candidate: Callable[[str], Candidate], factory: str) -> None:
    assert measure_module(candidate(factory)) == (Geometry(4, 2), 3)
    images = torch.rand(2, 1, 8, 6, generator=torch.Generator().manual_seed(0))
    autoencoder = open_autoencoder(candidate(factory))
    latents = autoencoder.encode(images)
    torch.testing.assert_close(latents, F.pixel_unshuffle(2 * images - 1, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(autoencoder.decode(latents, (8, 6)), images, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        ("Moments", r"encode gives 8 channels where decode takes 4: .* `moments.chunk\(2, dim=1\)\[0\]`"),
        (
            "Whole",
            r"a Whole, which is no torch.nn.Module with encode and decode; its `vae` is one: give that",
        ),
        ("parallel", r"a DataParallel, which .*; its `module` is one: give that"),
        ("pair", r"a tuple, which .*; number 1 of it is one: give that alone"),
        ("Plain", r"a Plain, which is no torch.nn.Module with encode and decode$"),
        ("Complex", r"encode gives values of torch.complex64; it must give the real latents"),
        ("OnAGpu", r"encode fails on 1x3x128x128 zeros \(NotImplementedError: \)"),
        ("exits", r"factories:exits fails \(SystemExit: 3\)"),
    ],
)
def test_what_is_none_and_its_mend(candidate: Callable[[str], Candidate], factory: str, says: str) -> None:
    with pytest.raises(CandidateError, match=says):
        measure_module(candidate(factory))


def test_the_mend_for_mean_and_variance_in_one_tensor_works(candidate: Callable[[str], Candidate]) -> None:
    source = candidate("Pooled").source
    assert isinstance(source, ModuleSource)
    assert source.folder is not None
    file = source.folder / "factories.py"
    file.write_text(
        FACTORIES.replace(
            "return torch.cat([mean, torch.zeros_like(mean)], dim=1)",
            """
        moments = torch.cat([mean, torch.zeros_like(mean)], dim=1)
        return moments.chunk(2, dim=1)[0]""",
        )
    )
    assert measure_module(candidate("Moments")).geometry == (4, 2)
