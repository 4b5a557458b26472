"""What a score card or a recipe looks at: images of one size, and the way they are made low-resolution."""

from dataclasses import dataclass
from typing import Any

from vaescreen.images.degradation import Degradation


@dataclass(frozen=True)
class View:
    """Side of the HR images in pixels, and the degradation that makes the LR images.

    A prediction for a recipe uses score cards of the recipe's own view, never of another.
    """

    size: int
    degradation: Degradation

    def description(self) -> dict[str, Any]:
        """Everything that decides the pixels, as JSON-able values."""
        return {"size": self.size, "degradation": self.degradation.description()}
