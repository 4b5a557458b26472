"""An autoencoder as screening runs it: output checked, memory, time and process kept, every failure said."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder, Geometry, check_output
from vaescreen.errors import CandidateError, VaescreenError
from vaescreen.screening.process_state import time_limit, unchanged_process

TIME_LIMIT = 1800.0
"""Seconds that one call may take."""


class GuardedAutoencoder:
    """Encode and decode of a candidate; a batch that runs out of memory is halved, from then on.

    Parameters
    ----------
    autoencoder
        The candidate.
    name
        What error messages call it.
    batch_size
        Largest number of images it gets at a time to begin with.
    limit
        Seconds that each call may take.

    Attributes
    ----------
    batch_size : int
        What is left of it after halving.
    """

    def __init__(
        self, autoencoder: Autoencoder, name: str, batch_size: int, limit: float = TIME_LIMIT
    ) -> None:
        self._autoencoder = autoencoder
        self.name, self._limit = name, limit
        self.batch_size = batch_size

    @property
    def geometry(self) -> Geometry:
        """That of the candidate."""
        return self._autoencoder.geometry

    def encode(self, images: Tensor) -> Tensor:
        """Latents of images `[B, 1, H, W]`.

        Raises
        ------
        CandidateError
            If the candidate fails, takes too long, changes its input or its process, or gives values that are not
            finite or a shape that is not its geometry's.
        """
        expected = self._autoencoder.geometry.latent_shape(*images.shape[-2:])
        latents = self._in_parts(self._autoencoder.encode, images)
        check_output(latents, expected, self.name, "latents")
        return latents

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` of latents.

        Raises
        ------
        CandidateError
            As for `encode`, and if values are outside [0, 1].
        """
        images = self._in_parts(lambda part: self._autoencoder.decode(part, size), latents)
        check_output(images, (1, *size), self.name, "images")
        if images.min() < 0 or images.max() > 1:
            low, high = float(images.min()), float(images.max())
            raise CandidateError(f"{self.name}: gives images in [{low:.2f}, {high:.2f}] where [0, 1] is due")
        return images

    def _in_parts(self, function: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        while True:
            try:
                return torch.cat([self._call(function, part) for part in batch.split(self.batch_size)])
            except VaescreenError:
                raise
            except (Exception, SystemExit) as error:  # whatever an adapter may raise
                if not _out_of_memory(error):
                    reason = " ".join(str(error).split())[:150]
                    raise CandidateError(
                        f"{self.name}: fails on {tuple(batch.shape)} ({type(error).__name__}: {reason})"
                    ) from error
                if min(self.batch_size, len(batch)) == 1:
                    raise CandidateError(
                        f"{self.name}: runs out of memory on one image; use a smaller size, or smaller tiles "
                        "(`settings: {tile: 512}` in its registry entry)"
                    ) from error
            self.batch_size = min(self.batch_size, len(batch)) // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _call(self, function: Callable[[Tensor], Tensor], part: Tensor) -> Tensor:
        given = part.clone()
        with unchanged_process(self.name), time_limit(self._limit, self.name):
            result = function(part)
        if not torch.equal(given, part):
            raise CandidateError(
                f"{self.name}: changes the images or latents it is given; let it work on a copy"
            )
        return result


def _out_of_memory(error: BaseException) -> bool:
    """Whether memory was lacking; on a CPU PyTorch says so in the text of a plain RuntimeError only."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "DefaultCPUAllocator" in str(error)
