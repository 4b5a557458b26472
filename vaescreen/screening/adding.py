"""From a hub id, a folder or a factory to a complete registry entry: what can be measured is not asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.files import WeightFiles, weights_sha256
from vaescreen.autoencoders.measuring import measure_module
from vaescreen.autoencoders.networks import load_files
from vaescreen.autoencoders.weights import pull
from vaescreen.errors import CandidateError
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import make_candidate
from vaescreen.registry.editing import add_entry
from vaescreen.registry.sources import HubSource
from vaescreen.screening.doctor import Examination, examine_candidate
from vaescreen.screening.origin import Statement, origin_of
from vaescreen.storage import ensure_writable

__all__ = ["Addition", "Statement", "add_candidate", "draft"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_UNSTATED = {"domain": "generic", "licence": "unknown", "training_data": "unknown"}


@dataclass(frozen=True)
class Addition:
    """A candidate that was added, where its entry stands, and what was found about it."""

    candidate: Candidate
    file: Path
    examination: Examination


def add_candidate(
    spec: str, file: Path, data: DataSet, *, statement: Statement | None = None, device: str = "cpu"
) -> Addition:
    """Measure an autoencoder, examine it, and write its entry.

    A value range or normalisation that the examination finds to be the right one is written into the entry, unless
    one is stated.

    Parameters
    ----------
    spec
        A folder or weight file, `module:factory`, or the id of a repository on the hub, which is downloaded.
    file
        Registry file that the entry goes into; it is made if it does not exist.
    data
        Images that the candidate is examined on.
    statement
        What the entry is to say that cannot be measured.
    device
        Where networks run.

    Raises
    ------
    CandidateError
        If it cannot be opened, or the examination refuses it. Nothing is written then.
    RegistryError
        If the entry would be invalid, or the file is, or has one of that name.
    """
    ensure_writable(file.absolute().parent, "give another file with --registry")
    candidate = draft(spec, statement or Statement())
    examination = examine_candidate(candidate, data, device=device)
    better = examination.measured.get("better_settings")
    if better and candidate.settings.value_range is None:
        settings = candidate.settings.model_copy(update={key: tuple(v) for key, v in better.items()})
        candidate = candidate.model_copy(update={"settings": settings})
        examination = examine_candidate(candidate, data, device=device)
    if examination.refused:
        raise CandidateError(examination.refusal)
    add_entry(file, candidate)
    return Addition(candidate, file, examination)


def draft(spec: str, statement: Statement) -> Candidate:
    """Complete entry of an autoencoder: its files are found or fetched, opened and measured.

    Raises
    ------
    CandidateError
        If it cannot be fetched or opened.
    RegistryError
        If what is stated is invalid.
    """
    adapter, source, place = origin_of(spec, statement)
    name = statement.name or _name(place)
    stated = {key: getattr(statement, key) for key in ("citation", *_UNSTATED) if getattr(statement, key)}
    fields: dict[str, Any] = {
        "adapter": adapter,
        "source": source,
        "geometry": Geometry(1, 1)._asdict(),
        "family": statement.family or name,
        "unverified": [key for key in _UNSTATED if key not in stated],
        **_UNSTATED,
        **stated,
    }
    if statement.value_range is not None:
        fields["settings"] = {"value_range": list(statement.value_range)}
    provisional = make_candidate(name, fields)
    if adapter == "module":
        geometry, channels = measure_module(provisional)
        if channels is not None:
            fields["input"] = {"channels": channels, "multiple": geometry.factor}
        return make_candidate(name, fields | {"geometry": geometry._asdict()})
    files = pull(provisional)
    layout = "ldm" if adapter == "medvae" else adapter
    network = load_files(files, name, adapter=layout, settings=provisional.settings)
    geometry = network.geometry
    fields |= {
        "geometry": geometry._asdict(),
        "input": {"channels": network.image_channels, "multiple": network.fixed_size or geometry.factor},
        "size_mb": round(sum(path.stat().st_size for path in files.shards or (files.weights,)) / 1e6, 2),
        "sha256": weights_sha256(files, name),
    }
    if isinstance(provisional.source, HubSource):
        _pin(fields, provisional.source, files)
    return make_candidate(name, fields)


def _name(place: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", place.lower()).strip("-._")[:64] or "candidate"


def _pin(fields: dict[str, Any], source: HubSource, files: WeightFiles) -> None:
    """Name the commit that was fetched, and take licence and gating from the hub where it says them."""
    from huggingface_hub import HfApi

    commit = next((part for part in files.config.parts if _COMMIT.fullmatch(part)), None)
    if commit:
        fields["source"] = fields["source"] | {"revision": commit}
    try:
        info = HfApi().model_info(source.hub, revision=commit or source.revision)
    except Exception:  # it is only asked for what the entry can do without
        return
    fields["gated"] = bool(info.gated)
    licence = info.card_data.get("license") if info.card_data else None
    if isinstance(licence, str) and "licence" in fields["unverified"]:
        fields["licence"] = licence
        fields["unverified"] = [key for key in fields["unverified"] if key != "licence"]
