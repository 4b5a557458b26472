"""The kind of device that work runs on, which depends on where it runs."""

from typing import Literal

from vaescreen.errors import VaescreenError
from vaescreen.execution.engine import LOCAL, Engine

Device = Literal["auto", "cpu", "cuda"]


def choose_device(device: Device, engine: Engine = LOCAL) -> str:
    """Resolve "auto" to "cuda" if there is a GPU where the engine runs, else "cpu".

    Raises
    ------
    VaescreenError
        If "cuda" is asked for and there is none.
    """
    if device == "cpu":
        return device
    if engine.name == "ray":
        from vaescreen.execution.cluster import gpus_of

        if gpus_of(engine) >= engine.gpus:
            return "cuda"
        absent = f"the Ray cluster has not the {engine.gpus:g} GPU that a task takes; give device cpu"
    else:
        import torch

        if torch.cuda.is_available():
            return "cuda"
        absent = "no GPU that this PyTorch can use; give device cpu, or install PyTorch for CUDA"
    if device == "cuda":
        raise VaescreenError(absent)
    return "cpu"
