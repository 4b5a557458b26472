"""Networks of a recipe, all from diffusers: frozen descriptions at named sizes, and how each is built."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vaescreen.errors import CandidateError


@dataclass(frozen=True)
class UNet:
    """A `UNet2DModel`.

    Parameters
    ----------
    name
        Of this size.
    channels
        At each resolution, the finest first; the resolution halves from one to the next.
    layers
        Residual blocks each way at each resolution.
    attention
        Sides of the feature maps, in latent cells of a training crop, that have self-attention.
    middle_attention
        Whether the innermost block has self-attention.
    groups
        Of the group normalisation.
    """

    name: str
    channels: tuple[int, ...]
    layers: int
    attention: tuple[int, ...]
    middle_attention: bool
    groups: int
    kind: Literal["unet"] = "unet"

    def fitted(self, cells: int) -> "UNet":
        """The same network with as many resolutions as latents of `cells` by `cells` can be halved."""
        levels = len(self.channels)
        while cells % 2 ** (levels - 1):
            levels -= 1
        return replace(self, channels=self.channels[:levels])

    def build(self, inputs: int, outputs: int, cells: int) -> nn.Module:
        """Network from `inputs` to `outputs` channels for crops of `cells` by `cells`."""
        from diffusers import UNet2DModel

        attended = [cells >> level in self.attention for level in range(len(self.channels))]
        network: nn.Module = UNet2DModel(
            in_channels=inputs,
            out_channels=outputs,
            layers_per_block=self.layers,
            block_out_channels=self.channels,
            down_block_types=tuple("AttnDownBlock2D" if each else "DownBlock2D" for each in attended),
            up_block_types=tuple("AttnUpBlock2D" if each else "UpBlock2D" for each in reversed(attended)),
            norm_num_groups=self.groups,
            add_attention=self.middle_attention,
        )
        return network


@dataclass(frozen=True)
class Transformer:
    """A `DiTTransformer2DModel` of one class (Peebles and Xie, 2023); it is trained on whole images.

    Parameters
    ----------
    name
        Of this size.
    depth
        Blocks.
    heads, head_width
        Attention heads of a block and channels of each.
    patch
        Side of a token in latent cells.
    """

    name: str
    depth: int
    heads: int
    head_width: int
    patch: int
    kind: Literal["transformer"] = "transformer"

    def fitted(self, cells: int) -> "Transformer":
        """The same network; with tokens of one cell where larger ones do not tile `cells` by `cells`."""
        return self if cells % self.patch == 0 else replace(self, patch=1)

    def build(self, inputs: int, outputs: int, cells: int) -> nn.Module:
        """Network from `inputs` to `outputs` channels for latents of `cells` by `cells`."""
        return _OneClass(self, inputs, outputs, cells)


class _OneClass(nn.Module):
    """The transformer without class labels; its blocks begin as the identity (adaLN-Zero)."""

    def __init__(self, size: Transformer, inputs: int, outputs: int, cells: int) -> None:
        from diffusers import DiTTransformer2DModel
        from diffusers.models.embeddings import LabelEmbedding

        super().__init__()
        self.transformer = DiTTransformer2DModel(
            num_attention_heads=size.heads,
            attention_head_dim=size.head_width,
            in_channels=inputs,
            out_channels=outputs,
            num_layers=size.depth,
            sample_size=cells,
            patch_size=size.patch,
            num_embeds_ada_norm=1,
        )
        for module in self.transformer.modules():
            if isinstance(module, LabelEmbedding):
                module.dropout_prob = 0  # there is no class to drop, and drawing would spoil resuming
        for block in self.transformer.transformer_blocks:
            nn.init.zeros_(block.norm1.linear.weight)
            nn.init.zeros_(block.norm1.linear.bias)

    def forward(self, x: Tensor, level: Tensor | int) -> Any:
        levels = torch.as_tensor(level, device=x.device).expand(len(x))
        return self.transformer(x, timestep=levels, class_labels=torch.zeros_like(levels))


Network = UNet | Transformer

NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        UNet("unet-nano", (32, 64, 64), 1, (), False, 8),
        UNet("unet-compact", (64, 64), 1, (), False, 8),
        UNet("unet-compact-wide", (128, 128), 1, (), False, 8),
        UNet("unet-small", (64, 128, 256, 256), 2, (16,), True, 32),
        UNet("unet-base", (96, 192, 384, 384), 2, (16,), True, 32),
        UNet("unet-paper", (128, 256, 512, 512), 2, (16,), True, 32),
        Transformer("dit-nano", 4, 4, 32, 2),
        Transformer("dit-small", 12, 6, 64, 2),
        Transformer("dit-base", 12, 12, 64, 2),
    )
}


def fit_network(network: Network, crop_cells: int, image_cells: int, recipe: str) -> Network:
    """Adapt a network to the latents of an autoencoder: what cannot be halved is not.

    Parameters
    ----------
    network
        As the recipe has it.
    crop_cells, image_cells
        Sides in cells of the latents that it is trained on, and of whole images.
    recipe
        What error messages call the recipe.

    Raises
    ------
    CandidateError
        If whole images cannot be halved as often as the crops.
    """
    fitted = network.fitted(crop_cells)
    if fitted.fitted(image_cells) != fitted:
        raise CandidateError(
            f"recipe {recipe}: its network fits crops of {crop_cells}x{crop_cells} latent cells, but not images "
            f"of {image_cells}x{image_cells}; choose another crop or size"
        )
    return fitted
