"""From names of candidates, or files of outputs, to a report."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.weights import available
from vaescreen.errors import DataError
from vaescreen.execution import Device, choose_device
from vaescreen.images import DataOptions, DataSet
from vaescreen.metrics.distribution import Features, open_inception
from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.metrics.optional import Missing, PairMetric
from vaescreen.metrics.perceptual import open_embedding, open_lpips
from vaescreen.ranking.comparison.analysis import PRIMARY, Analysis, analyse
from vaescreen.ranking.comparison.decomposition import Decomposition, decompose, matched_paths
from vaescreen.ranking.comparison.measurement import Measured, measure
from vaescreen.ranking.comparison.sources import Reconstructions, SavedOutputs, Source, batch_size
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.superres.outputs import Outputs, load_outputs
from vaescreen.superres.recipes import DEFAULT, RECIPES

OnProgress = Callable[[str, int, int], None]
_MESSAGES = 10


@dataclass(frozen=True)
class Report:
    """A comparison of two or more candidates.

    Attributes
    ----------
    candidates : tuple of str
        In the order given.
    data : DataSet
        What they were compared on.
    what : str
        `reconstructions` or `SR outputs`.
    measured : Measured
        Per-image values, spectra and maps.
    analysis : Analysis
        Statistics.
    decomposition : Decomposition or None
        Of two candidates, if it was asked for.
    """

    candidates: tuple[str, ...]
    data: DataSet
    what: str
    measured: Measured
    analysis: Analysis
    decomposition: Decomposition | None


def compare(
    candidates: Sequence[str],
    data: str | Path | DataOptions,
    *,
    outputs: Sequence[Path] = (),
    size: int | None = RECIPES[DEFAULT].size,
    registry: Path | None = None,
    device: Device = "auto",
    margin: float = 0.15,
    lpips: bool = True,
    embedding: str | None = None,
    distribution: bool = False,
    weights: Path | None = None,
    split_gap: bool = True,
    on_progress: OnProgress = lambda what, done, total: None,
    on_images: OnProgress = lambda what, done, total: None,
) -> Report:
    """Compare candidates on the same images: reconstructions, or super-resolution outputs that were saved.

    Parameters
    ----------
    candidates : sequence of str
        Names in the registry, at least two; with `outputs` any names.
    data : str, Path or DataOptions
        Name of a data set (see `vaescreen.images.declared`), or a folder of images; with more said of them,
        `vaescreen.images.DataOptions`, whose seed is that of the bootstrap too.
    outputs : sequence of Path
        A file of saved outputs for each candidate, in the same order; none compares reconstructions.
    size : int or None
        Side of the images in pixels, None for the size that each has; with `outputs`, theirs is taken.
    registry : Path, optional
        Registry file instead of the package's own.
    device : str
        Where networks run: `auto`, `cpu` or `cuda`.
    margin : float
        Difference in PSNR that does not matter, dB.
    lpips : bool
        Whether LPIPS is computed where torchvision and the weights are on this machine.
    embedding : str, optional
        Name of a timm model whose embeddings are compared as well.
    distribution : bool
        Whether FID and KID are computed.
    weights : Path, optional
        Folder with the weights of LPIPS, of the embedding and of FID and KID.
    split_gap : bool
        Whether the gap of two candidates is split by matched candidates.
    on_progress : callable
        Called with what is being done, images done and images in all.
    on_images : callable
        The same while the data are opened.

    Raises
    ------
    DataError
        If fewer than two candidates are given, or images and outputs do not fit each other.
    CandidateError
        If a candidate cannot be opened or fails.
    """
    if len(set(candidates)) < max(2, len(candidates)):
        raise DataError("a comparison needs at least two candidates, each once; name them")
    if not margin > 0:
        raise DataError(f"a margin of {margin} dB leaves no room; give a positive one")
    saved = _load(candidates, outputs)
    if saved:
        size = saved[0].images.shape[-1]
    known = Registry.load(registry)
    options, place = DataOptions.of(data), choose_device(device)
    entries = {} if saved else {each: known.candidate(each) for each in candidates}
    images = options.open(size, registry, on_images)
    sources: list[Source] = (
        [SavedOutputs(each, file, images) for each, file in zip(candidates, saved, strict=True)]
        if saved
        else [_reconstructions(entry, images, place) for entry in entries.values()]
    )
    optional, features, missing = _optional(lpips, embedding, distribution, weights, place)
    total, done = len(images.ids("test")), 0

    def count(number: int) -> None:
        nonlocal done
        before, done = done, done + number
        if done * _MESSAGES // total > before * _MESSAGES // total:
            on_progress(" and ".join(candidates), done, total)

    measured = measure(
        sources, images, optional=optional, features=features, missing=missing, on_images=count
    )
    analysis = analyse(measured, margin=margin, seed=options.seed)
    gap = None
    if split_gap and len(candidates) == 2 and analysis.metrics[PRIMARY].pairs:
        gap = _split(candidates, known, images, measured, bool(saved), place, options.seed, on_progress)
    what = "SR outputs" if saved else "reconstructions"
    return Report(tuple(candidates), images, what, measured, analysis, gap)


def _load(candidates: Sequence[str], files: Sequence[Path]) -> list[Outputs]:
    if not files:
        return []
    if len(files) != len(candidates):
        raise DataError(
            f"{len(files)} files of outputs for {len(candidates)} candidates; give --outputs once for each, in "
            "the same order"
        )
    return [load_outputs(file) for file in files]


def _reconstructions(candidate: Candidate, data: DataSet, device: str) -> Reconstructions:
    opened = open_autoencoder(candidate, data, device)
    return Reconstructions(candidate.name, GuardedAutoencoder(opened, candidate.name, batch_size(data)))


def _optional(
    lpips: bool, embedding: str | None, distribution: bool, weights: Path | None, device: str
) -> tuple[dict[str, PairMetric], Features | None, tuple[Missing, ...]]:
    found: dict[str, PairMetric | Missing] = {}
    if lpips:
        found["lpips_alex"] = open_lpips("alex", weights=weights, device=device)
    if embedding:
        found[f"embedding_{embedding}"] = open_embedding(embedding, weights=weights, device=device)
    features = open_inception(weights=weights, device=device) if distribution else None
    missing = [each for each in (*found.values(), features) if isinstance(each, Missing)]
    metrics = {name: each for name, each in found.items() if not isinstance(each, Missing)}
    return metrics, None if isinstance(features, Missing) else features, tuple(missing)


def _split(
    candidates: Sequence[str],
    known: Registry,
    data: DataSet,
    measured: Measured,
    saved: bool,
    device: str,
    seed: int,
    on_progress: OnProgress,
) -> Decomposition | None:
    """Split the gap of two candidates of the registry; outputs of those in between are not at hand."""
    if not set(candidates) <= set(known.candidates):
        return None
    first, second = (known.candidates[name] for name in candidates)
    there = () if saved else (entry for entry in known.candidates.values() if available(entry))
    paths = matched_paths(first, second, there)
    values = measured.column(PRIMARY)
    between = {name for path in paths for step in path for name in step[1:]} - set(candidates)
    for name in sorted(between):
        values[name] = _psnr_of(known.candidates[name], data, measured.images["image_id"], device)
        on_progress(f"matched candidate {name}", len(values), len(values))
    patients = measured.images["patient_id"].tolist()
    return decompose(values, patients, first, second, paths, seed=seed)


def _psnr_of(candidate: Candidate, data: DataSet, ids: Iterable[str], device: str) -> "pd.Series[float]":
    source = _reconstructions(candidate, data, device)
    values: dict[str, float] = {}
    for batch in data.batches("test", batch_size(data)):
        measured = capped_psnr(batch.images, source.make(batch).images)
        values |= _by_id(batch.ids, measured.tolist())
    return pd.Series([values[image_id] for image_id in ids])


def _by_id(ids: Sequence[str], values: Sequence[float]) -> Mapping[str, float]:
    return dict(zip(ids, values, strict=True))
