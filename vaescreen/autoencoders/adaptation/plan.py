"""Every choice of a fine-tuning."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from vaescreen.errors import CandidateError

Part = Literal["decoder", "all"]
Loss = Literal["l1", "l2"]


@dataclass(frozen=True)
class Plan:
    """How an autoencoder is fine-tuned.

    Parameters
    ----------
    part
        "decoder" leaves the latents as they are, "all" trains the encoder too.
    loss
        Mean absolute or squared error of the gray image in the network's range, mostly [-1, 1].
    kl_weight
        Weight of the Kullback-Leibler divergence of the posterior from a unit Gaussian, in nats an image pixel,
        beside the loss (Rombach et al., 2022, use 1e-6). It counts where the encoder is trained and has a
        posterior, which is then sampled; the best checkpoint and all scores go by the posterior mean.
    steps, batch, learning_rate, warm_up
        Adam with linear warm-up and cosine decay to a hundredth.
    crop
        Side of the random crops in pixels.
    check_every
        Steps between two looks at the val split.
    seed
        Of crops, mirroring and posterior samples.

    Raises
    ------
    CandidateError
        If a choice makes no sense.
    """

    part: Part = "decoder"
    loss: Loss = "l2"
    kl_weight: float = 1e-6
    steps: int = 1000
    batch: int = 8
    learning_rate: float = 1e-4
    warm_up: int = 20
    crop: int = 128
    check_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name, words in (("part", get_args(Part)), ("loss", get_args(Loss))):
            if getattr(self, name) not in words:
                raise CandidateError(f"adapt: {name} is {getattr(self, name)!r}; give {' or '.join(words)}")
        for name in ("steps", "batch", "learning_rate", "crop", "check_every"):
            if not 0 < getattr(self, name) < math.inf:
                raise CandidateError(f"adapt: {name} is {getattr(self, name)}; give a positive number")
        if not 0 <= self.kl_weight < math.inf:
            raise CandidateError(f"adapt: kl_weight is {self.kl_weight}; give 0 or a positive number")

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * (0.99 * cosine + 0.01)

    def description(self) -> dict[str, Any]:
        """All choices as JSON-able values."""
        return asdict(self)
