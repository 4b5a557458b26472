"""Weights of finished trainings, kept on request in the cache, so that another sampler needs no training."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from vaescreen.storage import write_bytes
from vaescreen.superres.optimisation import Weights
from vaescreen.superres.training import Trained

_PARTS = ("full", "half", "quarter")


def keep(path: Path, trained: Trained) -> None:
    """Write trained weights with what training cost."""
    tensors = {
        f"{part}/{name}": value.cpu().contiguous()
        for part in _PARTS
        for name, value in getattr(trained, part).items()
    }
    cost = {
        "losses": trained.losses,
        "steps": trained.steps,
        "seconds": trained.seconds,
        "part": trained.part,
    }
    write_bytes(path, save(tensors, {"cost": json.dumps(cost)}))


def recall(path: Path, device: str) -> Trained | None:
    """Read what `keep` wrote onto a device; None if there is nothing or it is damaged."""
    parts: dict[str, Weights] = {part: {} for part in _PARTS}
    try:
        with safe_open(path, "pt", device=device) as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                part, _, name = key.partition("/")
                parts[part][name] = file.get_tensor(key)
            cost = json.loads(file.metadata()["cost"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    return Trained(parts["full"], parts["half"], parts["quarter"], **cost)
