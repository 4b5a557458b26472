"""How an autoencoder is run: what a registry entry may say of it, and what every result records."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, model_validator

LARGEST_WHOLE = 1024
"""Side in pixels of images that a network works on in one piece unless a tile is set; larger ones go in tiles of it."""


class Settings(BaseModel):
    """Choices in running one autoencoder; the defaults are what published results use.

    Attributes
    ----------
    value_range : tuple of float or None
        Values of black and white at the network's input and output; None for those of its class.
    output_range : tuple of float or None
        Values of black and white at the output, where they are not those of the input.
    mean, sd : tuple of float or None
        Of each channel, in place of a range: the network takes and gives (image - mean) / sd, as those do that
        were trained on images normalised for ImageNet. One value stands for all channels. Gray images are the same
        in every order of channels, but these values are not: they are in the network's own order.
    scaling : str
        `raw` latents as the network gives them, or `native`: shifted and scaled as the generative models of its
        own family take them.
    posterior : str
        `mean`, or `sample`: one draw for each image, which follows from its pixels and `seed` alone.
    seed : int
        Of that draw.
    quantise : bool
        Whether a vector-quantised network snaps latents to its code book when it decodes, as it was trained.
    dtype : str
        Precision of the network; images and latents are float32 outside it.
    tile : int or None
        Side in pixels above which an image is worked on in overlapping tiles of that side; None for
        `LARGEST_WHOLE`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value_range: tuple[float, float] | None = None
    output_range: tuple[float, float] | None = None
    mean: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    sd: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] | None = None
    scaling: Literal["raw", "native"] = "raw"
    posterior: Literal["mean", "sample"] = "mean"
    seed: NonNegativeInt = 0
    quantise: bool = True
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    tile: Annotated[int, Field(ge=64)] | None = None

    @model_validator(mode="after")
    def _range_is_wide(self) -> "Settings":
        for key in ("value_range", "output_range"):
            limits = getattr(self, key)
            if limits is not None and limits[0] >= limits[1]:
                raise ValueError(f"{key} must be [black, white] with black below white")
        if (self.mean is None) != (self.sd is None) or len(self.mean or ()) != len(self.sd or ()):
            raise ValueError("mean and sd go together, with as many values each")
        if self.mean is not None and self.value_range is not None:
            raise ValueError("value_range and mean with sd contradict each other")
        return self

    def changed(self) -> dict[str, Any]:
        """Choices that are not the default, as JSON-able values."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def record(self) -> dict[str, Any]:
        """What a result says of them: `dtype`, and `settings` where any is not the default."""
        changed = self.changed()
        return {"dtype": self.dtype, **({"settings": changed} if changed else {})}
