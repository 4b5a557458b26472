"""Weights of finished trainings, kept on request in the cache, so that another sampler needs no training."""

from pathlib import Path

from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors
from vaescreen.storage import recall_json, write_json
from vaescreen.superres.training import Trained


def keep(path: Path, trained: Trained) -> None:
    """Write trained weights, which two runs make to the byte, and beside them the time it took, written first."""
    write_json(path.with_suffix(".json"), {"seconds": trained.seconds}, path.stem)
    state = {"losses": trained.losses, "steps": trained.steps, "part": trained.part}
    write_tensors(path, state | {"weights": trained.weights}, path.stem)


def recall(path: Path, device: str) -> Trained | None:
    """Read what `keep` wrote onto a device; None if there is nothing, or it is damaged and was put aside."""
    state = recall_tensors(path, path.stem, device)
    took = recall_json(path.with_suffix(".json"), path.stem)
    return None if state is None or took is None else Trained(**state, **took)
