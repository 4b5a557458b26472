"""One step of training: gradients of a batch, in parts where memory is short, and the average of the weights."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.errors import CandidateError
from vaescreen.superres.diffusion import predict
from vaescreen.superres.draws import Examples
from vaescreen.superres.recipe import Recipe

Weights = dict[str, Tensor]


def backward(recipe: Recipe, network: nn.Module, examples: Examples, part: int) -> Tensor:
    """Add the gradient of the mean loss over all examples, computed `part` at a time; give that loss."""
    count = len(examples.level)
    measure = F.l1_loss if recipe.loss == "l1" else F.mse_loss
    total = torch.zeros((), device=examples.level.device)
    for begin in range(0, count, part):
        some = examples.part(slice(begin, begin + part))
        said = predict(network, some.noisy, some.condition, some.level, recipe.precision)
        loss = measure(said, some.target) * (len(some.level) / count)
        loss.backward()
        total += loss.detach()
    return total


class Stepper:
    """Optimiser steps that begin with whole batches and halve their parts when memory runs out.

    Parameters
    ----------
    recipe
        Loss, optimiser and precision.
    network
        Whose gradients are computed.
    part
        Examples at a time.
    alone
        Whether parts may be made smaller; processes that train together would wait for each other.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, part: int, alone: bool = True) -> None:
        self.part = part
        self._recipe, self._network, self._alone = recipe, network, alone
        self._parameters = list(network.parameters())
        self.optimizer = torch.optim.AdamW(
            self._parameters, recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )

    def step(self, examples: Examples, rate: float) -> Tensor:
        """Take one step at a learning rate; give the loss, still on its device.

        Raises
        ------
        CandidateError
            If not even one example at a time fits into memory.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        while True:
            self.optimizer.zero_grad()
            try:
                loss = backward(self._recipe, self._network, examples, self.part)
                break
            except torch.OutOfMemoryError as error:
                if self.part == 1 or not self._alone:
                    raise CandidateError(
                        f"recipe {self._recipe.name}: out of memory with {self.part} crops at a time; use a smaller "
                        "network, crop or batch, or a larger device"
                    ) from error
            self.part = -(-self.part // 2)
            torch.cuda.empty_cache()
        nn.utils.clip_grad_norm_(self._parameters, self._recipe.clip)
        self.optimizer.step()
        return loss


@torch.no_grad()
def follow(average: Weights, network: nn.Module, decay: float) -> None:
    """Move the average of the weights by `1 - decay` of the way to where they are."""
    named = dict(network.named_parameters())
    torch._foreach_lerp_(list(average.values()), [named[name] for name in average], 1 - decay)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up times cosine decay to zero, which stands still within an epoch where those are counted."""
    place: float = step
    if recipe.epochs:
        place = step * recipe.epochs // steps * steps / recipe.epochs
    warm = min(1.0, (step + 1) / recipe.warm_up) if recipe.warm_up else 1.0
    return recipe.learning_rate * warm * (0.5 * (1 + math.cos(math.pi * place / steps)))
