"""An adapted autoencoder as a folder in diffusers format, and the candidate that it is from then on."""

from pathlib import Path
from typing import Any

from vaescreen.autoencoders.adaptation.fitting import Fitted, OnStep, fit
from vaescreen.autoencoders.adaptation.plan import Plan
from vaescreen.autoencoders.files import file_sha256
from vaescreen.autoencoders.folders import CONFIG
from vaescreen.autoencoders.networks import load_network
from vaescreen.environment import command_line, environment
from vaescreen.errors import CandidateError
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import LinearSource
from vaescreen.storage import cache_dir, digest, recall_json, set_aside, write_bytes, write_json

WEIGHTS = "diffusion_pytorch_model.safetensors"
RECORD = "adaptation.json"
_SEAL = "weights_sha256"
TRAINABLE = ("AutoencoderKL", "AutoencoderTiny", "AutoencoderDC")


def adapt(
    parent: Candidate,
    data: DataSet,
    plan: Plan,
    folder: Path,
    name: str,
    *,
    device: str = "cpu",
    on_step: OnStep = lambda step, loss, best: None,
) -> Candidate:
    """Fine-tune a candidate on the train split of `data` and save what was best on its val split.

    The folder holds `config.json`, the weights as safetensors, and `adaptation.json` with every choice and the
    course of the training. Where it is there already, made by the same choices, nothing is trained; what was
    interrupted goes on from its last look at the val split.

    Parameters
    ----------
    parent
        What is adapted; its files stay as they are.
    data
        Images of one size.
    plan
        All choices.
    folder
        Where the new autoencoder goes.
    name
        What it is called.
    device
        Where to train.
    on_step
        See `fit`.

    Returns
    -------
    Candidate
        The registry entry of the new autoencoder.

    Raises
    ------
    CandidateError
        If the parent cannot be trained, the folder holds something else, or nothing was better than the start.
    DataError
        If there are no val images.
    """
    if isinstance(parent.source, LinearSource):
        raise CandidateError(f"{parent.name}: a linear codec has no weights to adapt; name a network")
    autoencoder = load_network(parent, device)
    key = digest("adaptation-1", autoencoder.fingerprint, data.fingerprint, plan.description())
    if not _is_there(folder, key):
        if autoencoder.class_name not in TRAINABLE:
            raise CandidateError(
                f"{parent.name}: a {autoencoder.class_name} cannot be adapted; {', '.join(TRAINABLE)} can"
            )
        if parent.settings.dtype != "float32":
            raise CandidateError(
                f"{parent.name}: runs in {parent.settings.dtype}; training needs float32, so adapt an entry without it"
            )
        checkpoint = cache_dir() / "adaptation" / f"{key}.safetensors"
        fitted = fit(autoencoder, data, plan, checkpoint, on_step=on_step)
        if fitted.best_step == 0:
            raise CandidateError(
                f"{parent.name} on {data.name}: no step was better on the val split than the start "
                f"({fitted.validation[0][1]:.2f} dB), so nothing is saved; use a lower learning rate or more steps"
            )
        _save(
            autoencoder.network,
            folder,
            _record(key, parent, autoencoder.fingerprint, data, plan, fitted, device),
        )
        checkpoint.unlink(missing_ok=True)
    return _candidate(parent, data, folder, name)


def _is_there(folder: Path, key: str) -> bool:
    """Whether the folder holds the outcome of the same choices.

    Raises
    ------
    CandidateError
        If it holds something else.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return False
    record, weights = folder / RECORD, folder / WEIGHTS
    if record.is_file():
        known = recall_json(record)
        if known is None:
            return False  # it was damaged
        if known.get("key") == key:
            whole = weights.is_file() and known.get(_SEAL) in (None, file_sha256(weights, folder.name))
            if not whole:
                set_aside(weights, f"{weights} is damaged: its content is not what was written")
            return whole
    elif all(
        path.name in (CONFIG, WEIGHTS) or path.suffix in (".damaged", ".tmp") for path in folder.iterdir()
    ):
        return False  # interrupted while it was saved
    raise CandidateError(
        f"{folder} holds something else already; give another folder with --output, or empty it"
    )


def _record(
    key: str,
    parent: Candidate,
    fingerprint: str,
    data: DataSet,
    plan: Plan,
    fitted: Fitted,
    device: str,
) -> dict[str, Any]:
    return {
        "key": key,
        "parent": {"name": parent.name, "fingerprint": fingerprint},
        "data": {"name": data.name, "kind": data.kind, "fingerprint": data.fingerprint},
        "plan": plan.description(),
        "best_step": fitted.best_step,
        "validation": [{"step": step, "psnr": round(value, 4)} for step, value in fitted.validation],
        "losses": fitted.losses,
        "environment": environment(device),
        "command": command_line(private=data.private),
    }


def _save(network: Any, folder: Path, record: dict[str, Any]) -> None:
    """Write the files, the record last: with it the folder is complete."""
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_bytes(folder / CONFIG, network.to_json_string().encode())
    write_bytes(folder / WEIGHTS, save(tensors, {"format": "pt"}))
    write_json(folder / RECORD, record | {_SEAL: file_sha256(folder / WEIGHTS, folder.name)})


def _candidate(parent: Candidate, data: DataSet, folder: Path, name: str) -> Candidate:
    weights = folder / WEIGHTS
    return Candidate.model_validate(
        {
            "name": name,
            "adapter": "diffusers",
            "source": {"path": folder.absolute()},
            "geometry": parent.geometry._asdict(),
            "settings": parent.settings.model_dump(),
            "domain": parent.domain,
            "family": parent.family,
            "parent": parent.name,
            "licence": parent.licence,
            "training_data": f"{parent.training_data}; adapted to the train split of {data.name}",
            "size_mb": max(round(weights.stat().st_size / 1e6, 1), 0.1),
            "sha256": file_sha256(weights, name),
        }
    )
