"""The 2-D `AutoencoderKL` of MONAI, and of the MONAI GenerativeModels before it, told by its tensors alone.

The layers stand in one list each for encoder and decoder, which names and shapes of the tensors spell out. It differs
from that of diffusers: no activation before the last convolutions, and the middle may be missing. Checkpoints of
GenerativeModels hold a projection after each attention that its code never applied; that of MONAI applies its own
(`include_fc`). Both take and give [0, 1], as their bundles are trained.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from vaescreen.autoencoders.key_names import Inner, inner
from vaescreen.errors import CandidateError

CLASS = "MonaiAutoencoderKL"
GROUPS, EPS = 32, 1e-6
"""Of the normalisations; the one thing that no tensor shows, the same in all bundles of two dimensions."""
_ANCHORS = ("encoder.blocks.0.conv.weight", "decoder.blocks.0.conv.weight", "quant_conv_mu.conv.weight")
_NEVER_APPLIED = "proj_attn, which its code never applies"
_NAMES = (
    (r"\.conv\.(weight|bias)$", r".\1"),
    (r"\.attn\.", "."),
    (r"\.postconv\.", ".conv."),
)
"""Each convolution is wrapped in a module of its own; attention and upsampling changed their names once."""


def is_monai(state: Mapping[str, Tensor]) -> bool:
    """Whether tensors have the names of this network, whatever is put before them."""
    return all(any(key.endswith(anchor) for key in state) for anchor in _ANCHORS)


def monai_state(state: Mapping[str, Tensor], name: str) -> Inner:
    """Tensors of candidate `name` by the names of `MonaiAutoencoder`, and what lies beside them.

    Raises
    ------
    CandidateError
        If it is of a network of three dimensions.
    """
    inside, beside = inner(state, _ANCHORS, name)
    if inside[_ANCHORS[0]].ndim == 5:
        raise CandidateError(
            f"{name}: is a 3-D network of MONAI (its convolutions are Conv3d); only 2-D autoencoders are screened"
        )
    named: dict[str, Tensor] = {}
    for key, value in inside.items():
        new = key
        for old, current in _NAMES:
            new = re.sub(old, current, new)
        if ".proj_attn." in new:
            beside.append(_NEVER_APPLIED)
        elif ".qkv." in new:
            parts = zip(("to_q", "to_k", "to_v"), value.chunk(3), strict=True)
            named |= {new.replace(".qkv.", f".{part}."): tensor for part, tensor in parts}
        else:
            named[new] = value
    return Inner(named, beside)


def monai_config(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """Configuration of a `MonaiAutoencoder` for the tensors that `monai_state` gives; None if they are of none."""
    if any(f"{part}.blocks.0.weight" not in state for part in _LAYERS):
        return None
    layers = {part: _layers(state, part) for part in _LAYERS}
    if None in layers["encoder"] or None in layers["decoder"]:
        return None
    widths = {layer[1] for layer in (*layers["encoder"], *layers["decoder"]) if layer and layer[0] == "norm"}
    if any(width % GROUPS for width in widths):
        return None
    return {"_class_name": CLASS, **layers}


def _layers(state: Mapping[str, Tensor], part: str) -> list[list[Any] | None]:
    """Kind and sizes of each layer of the encoder or the decoder, None for one that is not known."""
    blocks: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, value in state.items():
        if found := re.match(rf"{part}\.blocks\.(\d+)\.(.*)", key):
            blocks[int(found[1])][found[2]] = value
    return [_layer(blocks[index], part) for index in sorted(blocks)]


def _layer(tensors: Mapping[str, Tensor], part: str) -> list[Any] | None:
    if "conv1.weight" in tensors:
        return ["resnet", *reversed(tensors["conv1.weight"].shape[:2])]
    if "to_q.weight" in tensors:
        return ["attention", len(tensors["to_q.weight"]), "out_proj.weight" in tensors]
    if "conv.weight" in tensors:
        return ["down" if part == "encoder" else "up", len(tensors["conv.weight"])]
    weight = tensors.get("weight")
    if weight is None or weight.ndim not in (1, 4):
        return None
    return ["norm", len(weight)] if weight.ndim == 1 else ["conv", *reversed(weight.shape[:2])]


class MonaiAutoencoder(nn.Module):
    """Encoder, decoder and the 1x1 convolutions around the latents.

    Parameters
    ----------
    encoder, decoder
        Their layers: kind and sizes of each, as `monai_config` tells them.
    """

    def __init__(self, encoder: Sequence[Sequence[Any]], decoder: Sequence[Sequence[Any]]) -> None:
        super().__init__()
        self.encoder, self.decoder = _Chain(encoder), _Chain(decoder)
        self.image_channels, self.channels = int(encoder[0][1]), int(encoder[-1][2])
        self.factor = 2 ** sum(layer[0] == "down" for layer in encoder)
        self.quant_conv_mu, self.quant_conv_log_sigma, self.post_quant_conv = (
            nn.Conv2d(self.channels, self.channels, 1) for _ in range(3)
        )

    def encode(self, images: Tensor) -> Normal:
        """Posterior of the latents of images."""
        hidden = self.encoder(images)
        log_variance = self.quant_conv_log_sigma(hidden).clamp(-30, 20)
        return Normal(self.quant_conv_mu(hidden), (log_variance / 2).exp(), validate_args=False)

    def decode(self, latents: Tensor) -> Tensor:
        """Images of latents."""
        images: Tensor = self.decoder(self.post_quant_conv(latents))
        return images


class _Chain(nn.Module):
    def __init__(self, layers: Sequence[Sequence[Any]]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_KINDS[kind](*sizes) for kind, *sizes in layers)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def _convolution(inside: int, outside: int) -> nn.Module:
    return nn.Conv2d(inside, outside, 3, padding=1)


def _norm(width: int) -> nn.Module:
    return nn.GroupNorm(GROUPS, width, eps=EPS)


class _Resnet(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(inside), _convolution(inside, outside)
        self.norm2, self.conv2 = _norm(outside), _convolution(outside, outside)
        self.nin_shortcut = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        added: Tensor = self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(hidden)))
        return added


class _Attention(nn.Module):
    def __init__(self, width: int, is_projected: bool) -> None:
        super().__init__()
        self.norm = _norm(width)
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.out_proj = nn.Linear(width, width) if is_projected else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        cells = self.norm(x).flatten(2).transpose(1, 2)
        seen = F.scaled_dot_product_attention(self.to_q(cells), self.to_k(cells), self.to_v(cells))
        added: Tensor = x + self.out_proj(seen).transpose(1, 2).reshape(x.shape)
        return added


class _Down(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return halved


class _Up(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        doubled: Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return doubled


_KINDS: dict[str, Callable[..., nn.Module]] = {
    "conv": _convolution,
    "norm": _norm,
    "resnet": _Resnet,
    "attention": _Attention,
    "down": _Down,
    "up": _Up,
}
_LAYERS = ("encoder", "decoder")
