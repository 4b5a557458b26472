"""Weights of finished trainings, kept on request in the cache, so that another sampler needs no training."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from vaescreen.storage import write_bytes
from vaescreen.superres.training import Trained


def keep(path: Path, trained: Trained) -> None:
    """Write trained weights with what training cost."""
    tensors = {name: value.cpu().contiguous() for name, value in trained.weights.items()}
    cost = {
        "losses": trained.losses,
        "steps": trained.steps,
        "seconds": trained.seconds,
        "part": trained.part,
    }
    write_bytes(path, save(tensors, {"cost": json.dumps(cost)}))


def recall(path: Path, device: str) -> Trained | None:
    """Read what `keep` wrote onto a device; None if there is nothing or it is damaged."""
    try:
        with safe_open(path, "pt", device=device) as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            cost = json.loads(file.metadata()["cost"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    return Trained(weights, **cost)
