"""The processes that train one model together: nearly always one; several under `accelerate launch`."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from torch import Tensor, nn

from vaescreen.errors import VaescreenError

_PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Team:
    """Place of this process among those that train together.

    Attributes
    ----------
    device
        Where this process computes.
    rank, size
        Which process this is, of how many; the one of rank 0 writes files and evaluates.
    """

    device: str
    rank: int = 0
    size: int = 1
    accelerator: Any = None

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """Give the part of a batch that is this process's.

        Raises
        ------
        VaescreenError
            If the processes cannot share it equally.
        """
        if batch % self.size:
            raise VaescreenError(
                f"{self.size} processes cannot share a batch of {batch} equally; use a number that divides it"
            )
        each = batch // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Give a network whose gradients are averaged over the team."""
        return self.accelerator.prepare_model(network) if self.accelerator else network

    def mean(self, value: Tensor) -> Tensor:
        """Average a value over the team."""
        return self.accelerator.reduce(value, "mean") if self.accelerator else value

    def agree(self, value: bool) -> bool:
        """Give every process the value of the one that leads."""
        if not self.accelerator:
            return value
        from accelerate.utils import broadcast_object_list

        values = [value]
        broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Wait until all have come here."""
        if self.accelerator:
            self.accelerator.wait_for_everyone()


def join_team(device: str) -> Team:
    """Join the processes that a launcher started with this one; alone without a launcher.

    Parameters
    ----------
    device
        "cpu" or "cuda"; on several GPUs each process gets its own.

    Raises
    ------
    VaescreenError
        If a launcher started several processes and accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Team(device)
    try:
        from accelerate import Accelerator, InitProcessGroupKwargs
    except ImportError as error:
        raise VaescreenError(
            "training in several processes needs accelerate; install it with: pip install 'vaescreen[accelerate]'"
        ) from error
    accelerator = Accelerator(
        cpu=device == "cpu", kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)]
    )
    return Team(str(accelerator.device), accelerator.process_index, accelerator.num_processes, accelerator)
