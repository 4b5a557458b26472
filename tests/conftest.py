"""For all tests: one thread, a cache of its own, no network beyond this machine; and tiny networks."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when NumPy and torch are imported, so it goes first
os.environ["VAESCREEN_CONFIG"] = os.devnull  # no registry of whoever runs the tests

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if self.family != getattr(socket, "AF_UNIX", None) and host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests may not reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def tiny_kl() -> Callable[..., torch.nn.Module]:
    """Factory of random AutoencoderKL networks of a few thousand weights."""

    def build(*, image_channels: int = 3, latent_channels: int = 4, factor: int = 4) -> torch.nn.Module:
        from diffusers import AutoencoderKL

        torch.manual_seed(0)
        blocks = factor.bit_length()
        return AutoencoderKL(
            in_channels=image_channels,
            out_channels=image_channels,
            latent_channels=latent_channels,
            block_out_channels=(8,) * blocks,
            down_block_types=("DownEncoderBlock2D",) * blocks,
            up_block_types=("UpDecoderBlock2D",) * blocks,
            norm_num_groups=4,
        ).eval()

    return build


@pytest.fixture
def tiny_taesd() -> Callable[..., torch.nn.Module]:
    """Factory of random AutoencoderTiny networks of a few thousand weights."""

    def build(*, image_channels: int = 3, latent_channels: int = 4, factor: int = 4) -> torch.nn.Module:
        from diffusers import AutoencoderTiny

        torch.manual_seed(0)
        blocks = factor.bit_length()
        model = AutoencoderTiny(
            in_channels=image_channels,
            out_channels=image_channels,
            latent_channels=latent_channels,
            encoder_block_out_channels=(8,) * blocks,
            decoder_block_out_channels=(8,) * blocks,
            num_encoder_blocks=(1,) * blocks,
            num_decoder_blocks=(1,) * blocks,
        ).eval()
        model.decoder.layers[-1].bias.data += 0.5  # its [0, 1] becomes [-1, 1]: keep clear of the clamp
        return model

    return build


@pytest.fixture
def tiny_dc() -> Callable[..., torch.nn.Module]:
    """Factory of random AutoencoderDC networks of a few thousand weights."""

    def build(*, image_channels: int = 3, latent_channels: int = 4, factor: int = 4) -> torch.nn.Module:
        from diffusers import AutoencoderDC

        torch.manual_seed(0)
        blocks = factor.bit_length()
        return AutoencoderDC(
            in_channels=image_channels,
            latent_channels=latent_channels,
            encoder_block_out_channels=(8,) * blocks,
            decoder_block_out_channels=(8,) * blocks,
            encoder_layers_per_block=(1,) * blocks,
            decoder_layers_per_block=(1,) * blocks,
            encoder_qkv_multiscales=((),) * blocks,
            decoder_qkv_multiscales=((),) * blocks,
            encoder_out_shortcut=False,
            decoder_in_shortcut=False,
        ).eval()

    return build
