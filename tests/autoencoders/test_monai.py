"""MONAI's 2-D autoencoders, of its own package and of GenerativeModels before it, told by their tensors."""

from pathlib import Path

import pytest
import torch

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder, load_files
from vaescreen.autoencoders.weights import WeightFiles
from vaescreen.errors import CandidateError
from vaescreen.screening.adding import Statement, draft

BRATS = {"channels": (64, 128), "latent_channels": 1, "num_res_blocks": 2, "attention_levels": (False, False)}
CHEST = {
    "channels": (32, 64, 64),
    "latent_channels": 3,
    "num_res_blocks": (1, 2, 1),
    "attention_levels": (False, False, True),
    "with_encoder_nonlocal_attn": False,
    "with_decoder_nonlocal_attn": False,
}
IMAGES = torch.rand(2, 1, 32, 40, generator=torch.Generator().manual_seed(1))


def opened(path: Path, state: dict) -> NetworkAutoencoder:
    torch.save(state, path / "autoencoder.pt")
    return load_files(WeightFiles(path / "autoencoder.pt", path / "autoencoder.pt"), "mine")


def as_generative_models(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names of GenerativeModels, with a projection that is there but not applied."""
    older = {
        key.replace(".attn.", ".").replace(".postconv.", ".conv."): value for key, value in state.items()
    }
    queries = [key for key in older if key.endswith(".to_q.weight")]
    return older | {key.replace("to_q", "proj_attn"): torch.randn_like(older[key]) for key in queries}


class TestParity:
    """Latents and images of random weights are those of MONAI's own code."""

    @pytest.fixture(params=[BRATS, CHEST], ids=["brats", "chest"])
    def theirs(self, request):
        pytest.importorskip("einops", reason="MONAI needs einops for its attention")
        nets = pytest.importorskip(
            "monai.networks.nets", reason="monai is not installed: `make parity` installs it"
        )

        def build(**options: bool):
            torch.manual_seed(0)
            return nets.AutoencoderKL(
                spatial_dims=2, in_channels=1, out_channels=1, **request.param, **options
            ).eval()

        return build

    @torch.no_grad()
    def agree(self, network, ours: NetworkAutoencoder) -> None:
        mean, sd = network.encode(IMAGES)
        assert ours.geometry == Geometry(mean.shape[1], 32 // mean.shape[2])
        assert ours.image_channels == 1
        found = ours.posterior(IMAGES)
        torch.testing.assert_close(found, (mean, sd), atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.decode_raw(mean, (32, 40)), network.decode(mean), atol=1e-5, rtol=0)

    @pytest.mark.parametrize("options", [{}, {"include_fc": False}, {"use_combined_linear": True}])
    def test_its_own_checkpoints(self, theirs, tmp_path, options):
        network = theirs(**options)
        self.agree(network, opened(tmp_path, network.state_dict()))

    def test_checkpoints_of_generative_models(self, theirs, tmp_path):
        network = theirs(include_fc=False)
        self.agree(network, opened(tmp_path, as_generative_models(network.state_dict())))


def conv(inside: int, outside: int, side: int = 3) -> dict[str, tuple[int, ...]]:
    return {"conv.weight": (outside, inside, side, side), "conv.bias": (outside,)}


def norm(width: int) -> dict[str, tuple[int, ...]]:
    return {"weight": (width,), "bias": (width,)}


def named(**parts: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {f"{part}.{key}": shape for part, shapes in parts.items() for key, shape in shapes.items()}


def resnet(inside: int, outside: int) -> dict[str, tuple[int, ...]]:
    parts = {"norm1": norm(inside), "conv1": conv(inside, outside), "norm2": norm(outside)}
    shortcut = {} if inside == outside else {"nin_shortcut": conv(inside, outside, 1)}
    return named(**parts, conv2=conv(outside, outside), **shortcut)


def attention(width: int) -> dict[str, tuple[int, ...]]:
    linear = {"weight": (width, width), "bias": (width,)}
    attn = named(**dict.fromkeys(("to_q", "to_k", "to_v", "out_proj"), linear))
    return named(norm=norm(width), attn=attn)


ENCODER = [
    conv(1, 32),
    resnet(32, 32),
    named(conv=conv(32, 32)),
    resnet(32, 64),
    attention(64),
    resnet(64, 64),
]
ENCODER += [attention(64), resnet(64, 64), norm(64), conv(64, 2)]
DECODER = [conv(2, 64), resnet(64, 64), attention(64), named(postconv=conv(64, 64)), resnet(64, 32), norm(32)]
DECODER += [conv(32, 1)]


def checkpoint() -> dict[str, torch.Tensor]:
    """Weights by the names of MONAI 1.6, each a wave that begins where its name stands among them."""
    shapes = named(
        **dict.fromkeys(("quant_conv_mu", "quant_conv_log_sigma", "post_quant_conv"), conv(2, 2, 1))
    )
    for part, blocks in (("encoder", ENCODER), ("decoder", DECODER)):
        shapes |= named(**{f"{part}.blocks.{i}": block for i, block in enumerate(blocks)})
    state = {}
    for place, (key, shape) in enumerate(sorted(shapes.items())):
        wave = torch.sin(torch.arange(torch.Size(shape).numel(), dtype=torch.float64) * 0.7 + place).reshape(
            shape
        )
        scale = wave[0].numel() ** -0.5 if wave.ndim > 1 else 0.2
        state[key] = (wave * scale + (wave.ndim == 1 and key.endswith("weight"))).float()
    return state


def ramp() -> torch.Tensor:
    return torch.linspace(0, 1, 12 * 16).reshape(1, 1, 12, 16)


def test_latents_and_images_that_monai_1_6_1_gave(tmp_path: Path) -> None:
    ours = opened(tmp_path, checkpoint())
    mean, sd = ours.posterior(ramp())
    decoded = ours.decode_raw(mean, (12, 16))
    assert mean[0, :, 2, 3].tolist() == pytest.approx([0.24647455, -0.03435576], abs=1e-5)
    assert sd[0, :, 2, 3].tolist() == pytest.approx([1.0359317, 1.1006837], abs=1e-5)
    assert decoded[0, 0, 5, ::5].tolist() == pytest.approx(
        [0.12289812, 0.1085014, 0.10456207, 0.0889653], abs=1e-5
    )
    assert (float(mean.mean()), float(decoded.mean())) == pytest.approx((0.12630312, 0.05120126), abs=1e-5)


def test_a_projection_that_was_never_applied_is_told(tmp_path: Path) -> None:
    state = {key: value for key, value in checkpoint().items() if ".out_proj." not in key}
    ours = opened(tmp_path, as_generative_models(state))
    assert ours.left_out == "3 of proj_attn, which its code never applies"
    torch.testing.assert_close(ours.encode(ramp()), opened(tmp_path, state).encode(ramp()), atol=0, rtol=0)


@pytest.mark.parametrize("prefix", ["", "module.", "autoencoder.", "_orig_mod."])
def test_a_bundle_as_it_is_downloaded(tmp_path: Path, prefix: str) -> None:
    models = tmp_path / "bundle" / "models"
    models.mkdir(parents=True)
    torch.save({prefix + key: value for key, value in checkpoint().items()}, models / "model_autoencoder.pt")
    torch.save({"unet.weight": torch.zeros(2), "unet.bias": torch.zeros(2)}, models / "model.pt")
    candidate = draft(str(tmp_path / "bundle"), Statement())
    assert candidate.geometry == Geometry(2, 2)
    assert candidate.input is not None
    assert candidate.input.channels == 1
    assert candidate.source.weights == "models/model_autoencoder.pt"


def test_three_dimensions_are_refused_in_those_words(tmp_path: Path) -> None:
    state = {k: v[..., None] if v.ndim == 4 else v for k, v in checkpoint().items()}
    with pytest.raises(CandidateError, match=r"^mine: is a 3-D network of MONAI .* only 2-D"):
        opened(tmp_path, state)


@pytest.mark.parametrize("broken", ["encoder.blocks.1.conv1.conv.bias", "decoder.blocks.4.norm2.weight"])
def test_a_tensor_too_few_is_named(tmp_path: Path, broken: str) -> None:
    state = {key: value for key, value in checkpoint().items() if key != broken}
    with pytest.raises(CandidateError, match="1 missing"):
        opened(tmp_path, state)
