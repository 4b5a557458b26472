"""Networks behind vaescreen's own adapters: other ranges and precisions are tried by opening them again."""

import json
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from vaescreen.autoencoders.weights import locate
from vaescreen.images import DataSet, open_data
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import Registry, make_candidate
from vaescreen.screening.doctor import Examination, Status, examine_candidate
from vaescreen.screening.doctor.subject import HIGHEST_PSNR

QUANTISED = """
import torch

class Steps(torch.nn.Module):
    '''Keeps {levels} levels between -1 and 1.'''
    def __init__(self):
        super().__init__()
        self.identity = torch.nn.Conv2d(1, 1, 1)
    def encode(self, x):
        return torch.round(x * 8) / 8
    def decode(self, z):
        return z

class Overflowing(Steps):
    def decode(self, z):
        return (z * 60000 + z * 60000) / 120000
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_data("chest", size=64, train_images=4, test_images=3)


def finding(report: Examination, check: str):
    (found,) = [each for each in report.findings if each.check == check]
    return found


def local(folder: Path, **changes: object) -> Candidate:
    bundled = Registry.load().candidate("medical-f4c4")
    fields = bundled.entry(folder) | {"adapter": "diffusers", "source": {"path": str(folder)}} | changes
    return make_candidate("mine", {key: value for key, value in fields.items() if key != "sha256"})


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """The bundled network, rewritten to take and give [0, 1] as it took and gave [-1, 1]."""
    files = locate(Registry.load().candidate("medical-f4c4"))
    state = load_file(files.weights)
    first, last = state["encoder.conv_in.conv.weight"], state["decoder.conv_out.conv.weight"]
    state["encoder.conv_in.conv.bias"] = state["encoder.conv_in.conv.bias"] - first.sum(dim=(1, 2, 3))
    state["encoder.conv_in.conv.weight"] = 2 * first
    state["decoder.conv_out.conv.weight"] = last / 2
    state["decoder.conv_out.conv.bias"] = (state["decoder.conv_out.conv.bias"] + 1) / 2
    save_file(state, tmp_path / "diffusion_pytorch_model.safetensors")
    (tmp_path / "config.json").write_text(files.config.read_text())
    return tmp_path


def module(folder: Path, factory: str, **changes: object) -> Candidate:
    (folder / "quantised.py").write_text(QUANTISED)
    fields = local(folder).entry(folder) | {
        "adapter": "module",
        "source": {"module": f"quantised:{factory}", "folder": str(folder)},
        "geometry": {"channels": 1, "factor": 1},
        "input": {"channels": 1, "multiple": 1},
    }
    return make_candidate("mine", fields | changes)


def test_a_bundled_network_is_accepted_in_every_precision(data) -> None:
    report = examine_candidate(Registry.load().candidate("medical-f4c4"), data)
    assert not report.refused, report.refusal
    found = report.measured["precision_psnr"]
    assert finding(report, "precision").message.endswith("half precision imitated by rounding")
    assert abs(found["bf16"] - found["fp32"]) < 1
    assert 0 < abs(found["fp16"] - found["fp32"]) < 0.1
    assert report.measured["encode_ms"] > 0


def test_a_network_that_wants_0_to_1_is_refused_until_its_entry_says_so(data, shifted) -> None:
    report = examine_candidate(local(shifted), data)
    found = finding(report, "value range")
    assert found.status is Status.REFUSED
    assert found.mend == "write `settings: {value_range: [0, 1]}`"
    mended = examine_candidate(local(shifted, settings={"value_range": [0, 1]}), data)
    assert not mended.refused
    assert mended.measured["psnr"] > report.measured["psnr"] + 1


def test_a_network_that_wants_minus_1_to_1_is_refused_with_0_to_1(data, tmp_path) -> None:
    report = examine_candidate(module(tmp_path, "Steps", settings={"value_range": [0, 1]}), data)
    assert finding(report, "value range").mend == "write `settings: {value_range: [-1, 1]}`"
    assert not examine_candidate(module(tmp_path, "Steps"), data).refused


def test_one_that_overflows_in_half_precision_is_warned_of(data, tmp_path) -> None:
    report = examine_candidate(module(tmp_path, "Overflowing"), data)
    found = finding(report, "precision")
    assert found.status is Status.WARNING
    assert "not finite in fp16" in found.message
    assert report.measured["precision_psnr"]["fp16"] is None
    assert report.measured["precision_psnr"]["bf16"] is not None
    assert not report.refused


def test_an_entry_of_another_geometry_is_refused(data) -> None:
    bundled = Registry.load().candidate("medical-f4c4")
    report = examine_candidate(bundled.model_copy(update={"geometry": (8, 4)}), data)
    assert report.verdict == "medical-f4c4: refused (use)"


def test_weights_that_are_no_weights_are_refused(data, tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    (tmp_path / "diffusion_pytorch_model.safetensors").write_text("<html>Sign in</html>")
    report = examine_candidate(local(tmp_path), data)
    assert "HTML page" in finding(report, "use").message


class TestPosterior:
    """A network that averages pixels in pairs of pairs, and is sure of them to a known degree."""

    CODE = """
import torch

class Unsure(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.identity = torch.nn.Conv2d(1, 1, 1)
    def encode(self, x):
        mean, sd = x, torch.full_like(x, SD)
        posterior = type("Posterior", (), {{"mode": lambda self: mean, "std": sd}})()
        return type("Output", (), {{"latent_dist": posterior}})()
    def decode(self, z):
        return z
"""

    @pytest.mark.parametrize("sd", [0.02, 0.2])
    def test_spread_and_what_a_sample_costs(self, data, tmp_path, sd) -> None:
        candidate = module(tmp_path, "Unsure")
        (tmp_path / "quantised.py").write_text(self.CODE.format().replace("SD", str(sd)))
        report = examine_candidate(candidate, data)
        images = next(data.batches("test", 1)).images
        assert report.measured["posterior_sd_share"] == pytest.approx(
            sd / (2 * float(images.std())), rel=0.01
        )
        noise = -20 * math.log10(
            sd / 2
        )  # half of it in [0, 1]; black and white are clamped, which gains a little
        known = report.measured["sampling_psnr_gain"] + HIGHEST_PSNR
        assert noise - 0.2 < known < noise + 3.5

    def test_none(self, data) -> None:
        report = examine_candidate(Registry.load().candidate("medical-f4c4"), data)
        assert finding(report, "posterior").message == "none: an image has one latent"
