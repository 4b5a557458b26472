"""Shape of a latent, as entries state it."""

from typing import NamedTuple


class Geometry(NamedTuple):
    """Shape of a latent: `channels` C and spatial `factor` f; the latent of an HxW image is C x H/f x W/f."""

    channels: int
    factor: int

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape `(C, ceil(H/f), ceil(W/f))` of the latent of one `height` x `width` image."""
        return self.channels, -(-height // self.factor), -(-width // self.factor)

    def __str__(self) -> str:
        """Short form used in names, such as `f8c4`."""
        return f"f{self.factor}c{self.channels}"
