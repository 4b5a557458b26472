"""What is compared: reconstructions that candidates make now, or super-resolution outputs that were saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from vaescreen.errors import DataError
from vaescreen.images import Batch, DataSet
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.superres.outputs import Outputs

PIXELS_PER_BATCH = 16 * 128**2


def batch_size(data: DataSet) -> int:
    """How many images are worked on at a time; one where each has its own size."""
    return max(PIXELS_PER_BATCH // data.size**2, 1) if data.size else 1


@dataclass(frozen=True)
class Made:
    """What one candidate made of a batch.

    Attributes
    ----------
    images : Tensor
        The outputs to be scored, `[B, 1, H, W]` in [0, 1].
    reconstructions : Tensor
        The autoencoder's own decode of the true images, which sets the threshold of hallucination.
    """

    images: Tensor
    reconstructions: Tensor


class Source(Protocol):
    """A candidate's images, batch by batch."""

    @property
    def name(self) -> str:
        """The candidate."""

    def make(self, batch: Batch) -> Made:
        """Give the candidate's images of a batch."""


class Reconstructions:
    """What an autoencoder makes of the true images.

    Parameters
    ----------
    name
        The candidate.
    autoencoder
        It, guarded.
    """

    def __init__(self, name: str, autoencoder: GuardedAutoencoder) -> None:
        self.name = name
        self._autoencoder = autoencoder

    def make(self, batch: Batch) -> Made:
        """Encode and decode.

        Raises
        ------
        CandidateError
            If the candidate fails or gives unusable output.
        """
        size = (batch.images.shape[-2], batch.images.shape[-1])
        images = self._autoencoder.decode(self._autoencoder.encode(batch.images), size)
        return Made(images, images)


class SavedOutputs:
    """Super-resolution outputs, paired with the true images by image id.

    Parameters
    ----------
    name
        The candidate.
    outputs
        Images `[N, 1, H, W]` and reconstructions of them, with their ids.
    data
        The true images.

    Raises
    ------
    DataError
        If an image of either has no partner in the other, is of another patient, or has another size.
    """

    def __init__(self, name: str, outputs: Outputs, data: DataSet) -> None:
        self.name = name
        check_partners(name, outputs.ids, data.ids("test"))
        self._place = {image_id: number for number, image_id in enumerate(outputs.ids)}
        for image_id, patient in zip(data.ids("test"), data.patients("test"), strict=True):
            saved = outputs.patients[self._place[image_id]]
            if saved != patient:
                raise DataError(
                    f"{name}: image {image_id} is of patient {saved} in the outputs and of {patient} in "
                    f"{data.name}; give the data that the outputs were made on"
                )
        self._outputs = outputs

    def make(self, batch: Batch) -> Made:
        """Look the images of a batch up."""
        order = [self._place[image_id] for image_id in batch.ids]
        images, reconstructions = self._outputs.images[order], self._outputs.reconstructions[order]
        if images.shape != batch.images.shape:
            raise DataError(
                f"{self.name}: outputs are {tuple(images.shape[-2:])} and images {tuple(batch.images.shape[-2:])} "
                "pixels; open the data at the size of the outputs"
            )
        return Made(images.to(batch.images), reconstructions.to(batch.images))


def check_partners(name: str, outputs: Sequence[str], images: Sequence[str]) -> None:
    """Refuse outputs and images that are not of the same ids, each once.

    Raises
    ------
    DataError
        In one line that names an image without a partner.
    """
    if len(set(outputs)) < len(outputs):
        twice = next(image_id for image_id in outputs if outputs.count(image_id) > 1)
        raise DataError(f"{name}: image {twice} is among the outputs twice; make the outputs again")
    without_output = sorted(set(images) - set(outputs))
    if without_output:
        raise DataError(
            f"{name}: {len(without_output)} of {len(images)} images have no output, {without_output[0]} for one; "
            "make the outputs on the same data"
        )
    without_image = sorted(set(outputs) - set(images))
    if without_image:
        raise DataError(
            f"{name}: {len(without_image)} outputs have no image, {without_image[0]} for one; open the data with "
            "the split and number of test images that the outputs were made on"
        )
