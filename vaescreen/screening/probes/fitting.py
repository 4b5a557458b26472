"""Training of the probes' networks: a fixed number of steps of squared error, AdamW with cosine decay to zero."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.screening.probes.crops import reproducible

LEARNING_RATE = 2e-3

Draw = Callable[[], tuple[tuple[Tensor, ...], Tensor]]
"""What a step sees: the inputs of the network, and the targets."""


def fit(network: nn.Module, draw: Draw, steps: int, device: torch.device) -> nn.Module:
    """Train a network in place, and give it back in evaluation mode."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        inputs, targets = draw()
        with reproducible():
            loss = F.mse_loss(network(*(each.to(device) for each in inputs)), targets.to(device))
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()
