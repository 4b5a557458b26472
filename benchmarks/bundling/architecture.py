"""The network of each bundled geometry, small enough for a CPU and for a wheel."""

from typing import TYPE_CHECKING

from vaescreen.autoencoders.contract import Geometry

if TYPE_CHECKING:
    from diffusers import AutoencoderDC

GEOMETRIES = tuple(Geometry(c, f) for f, channels in ((4, (1, 3, 4, 8)), (8, (1, 4, 16))) for c in channels)

_WIDTH = {4: 48, 8: 64}
_BLOCKS = {4: (0, 1, 3), 8: (0, 1, 1, 3)}


def build(geometry: Geometry) -> "AutoencoderDC":
    """A network of `geometry` for one gray channel; no convolution runs at full resolution."""
    from diffusers import AutoencoderDC

    blocks, width = _BLOCKS[geometry.factor], _WIDTH[geometry.factor]
    levels = len(blocks)
    return AutoencoderDC(
        in_channels=1,
        latent_channels=geometry.channels,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=(width,) * levels,
        decoder_block_out_channels=(width,) * levels,
        encoder_layers_per_block=blocks,
        decoder_layers_per_block=blocks,
        encoder_qkv_multiscales=((),) * levels,
        decoder_qkv_multiscales=((),) * levels,
        downsample_block_type="conv",
        encoder_out_shortcut=False,
        decoder_in_shortcut=False,
    )
