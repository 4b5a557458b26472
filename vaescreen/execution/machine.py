"""What work runs on, said once and handed on in one piece."""

from dataclasses import dataclass

from vaescreen.execution.device import Device, choose_device
from vaescreen.execution.engine import LOCAL, Engine


@dataclass(frozen=True)
class Machine:
    """Where tasks run, on what, and how many at a time.

    Attributes
    ----------
    processes
        Most tasks at a time; by default the number of cores, at most 4, or on a cluster as many as it holds.
    engine
        This machine, or a Ray cluster (see `vaescreen.execution.engine_named`).
    device
        "auto" takes a GPU if there is one.
    """

    processes: int | None = None
    engine: Engine = LOCAL
    device: Device = "auto"

    @property
    def place(self) -> str:
        """Device that networks run on here: "cpu" or "cuda".

        Raises
        ------
        VaescreenError
            If there is no such device.
        """
        return choose_device(self.device, self.engine)


HERE = Machine()
"""This machine, as it is."""
