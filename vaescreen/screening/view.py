"""What a score card or a recipe looks at: images at a size, how they are made low-resolution, and what is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vaescreen.images import Batch, DataSet
from vaescreen.images.degradation import Degradation
from vaescreen.screening.conditioning import AS_BUILT, Conditioning


@dataclass(frozen=True)
class View:
    """Side of the HR images in pixels, None for each image's own, their degradation, and what probes are told of it.

    A prediction for a recipe uses score cards of the recipe's own view, never of another.
    """

    size: int | None
    degradation: Degradation
    conditioning: Conditioning = AS_BUILT

    def __str__(self) -> str:
        """Short form for titles, such as `128x128 px, lanczos x4`."""
        size = f"{self.size}x{self.size} px" if self.size else "native size"
        return f"{size}, {self.degradation}"

    def description(self) -> dict[str, Any]:
        """Everything as JSON-able values."""
        return self.pixels() | self.conditioning.description()

    def pixels(self) -> dict[str, Any]:
        """What decides the pixels of HR and LR images, as JSON-able values."""
        crop = {} if self.size else {"crop": "central, sides to a multiple of the scale"}
        return {"size": self.size, **crop, "degradation": self.degradation.description()}

    def batches(
        self, data: DataSet, split: str, batch_size: int, *, only: Sequence[str] | None = None
    ) -> Iterator[Batch]:
        """Give `data.batches` with each image cut to its centre, so that the degradation can reduce it exactly.

        At native size up to scale - 1 rows and columns are lost at the border. Padding instead would make border
        pixels of the LR image, and all that is predicted of what lies under them, out of pixels that nobody took.
        """
        scale = self.degradation.scale
        for batch in data.batches(split, batch_size, only=only):
            height, width = batch.images.shape[-2:]
            top, left = height % scale // 2, width % scale // 2
            centre = batch.images[
                ..., top : top + height // scale * scale, left : left + width // scale * scale
            ]
            yield replace(batch, images=centre)
