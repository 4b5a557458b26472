"""Which published networks there are, and how each is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from vaescreen.autoencoders.classes import NetworkClass
from vaescreen.autoencoders.published.distilled_vgg import DistilledVgg
from vaescreen.autoencoders.published.invertible import InvertibleRescaler
from vaescreen.autoencoders.published.monai import CLASS, MonaiAutoencoder
from vaescreen.autoencoders.published.strided import StridedAutoencoder
from vaescreen.autoencoders.published.vector_quantised import BatchNormVqVae, OriginalVqVae
from vaescreen.autoencoders.scaling import unscaled


@dataclass(frozen=True)
class Published:
    """A published network.

    Attributes
    ----------
    build
        From its configuration to a network of random weights.
    description
        What it takes and gives.
    """

    build: Callable[[Mapping[str, Any]], nn.Module]
    description: NetworkClass


def _description(
    value_range: tuple[float, float], decode_unquantised: Callable[[Any, Tensor], Tensor] | None = None
) -> NetworkClass:
    return NetworkClass(
        factor=lambda model: int(model.factor),
        latent_channels=lambda model: int(model.channels),
        image_channels=lambda model: int(getattr(model, "image_channels", 3)),
        decode_unquantised=decode_unquantised,
        native=unscaled,
        value_range=value_range,
    )


_UNIT = _description((0.0, 1.0))
_QUANTISED = _description((-1.0, 1.0), lambda model, latents: model.decode_unquantised(latents))

PUBLISHED: dict[str, Published] = {
    "distilled-vgg": Published(lambda config: DistilledVgg(config["geometry"][1]), _UNIT),
    "invertible-rescaler": Published(lambda _: InvertibleRescaler(), _UNIT),
    "strided": Published(lambda _: StridedAutoencoder(), _UNIT),
    "vq-vae": Published(lambda _: OriginalVqVae(), _QUANTISED),
    "vq-vae-batch-norm": Published(lambda _: BatchNormVqVae(), _QUANTISED),
    CLASS: Published(lambda config: MonaiAutoencoder(config["encoder"], config["decoder"]), _UNIT),
}
"""Published networks by the name that `source.network` or their configuration gives them."""
