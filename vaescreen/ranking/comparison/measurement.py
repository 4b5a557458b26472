"""Every metric of every candidate, image by image, in one stream over the test split at bounded memory."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor

from vaescreen.errors import CandidateError
from vaescreen.images import Batch, DataSet
from vaescreen.metrics.distribution import Distances, Features
from vaescreen.metrics.fidelity import HIGHEST_PSNR
from vaescreen.metrics.hallucination import common_threshold, error_threshold, excess
from vaescreen.metrics.optional import Missing, PairMetric
from vaescreen.metrics.spectrum import Spectrum
from vaescreen.metrics.table import detailed_metrics
from vaescreen.ranking.comparison.sources import Made, Source, batch_size

SHOWN = 3
"""Images kept on either side for the figure of extremes."""
THRESHOLDS = ("own", "common")


@dataclass(frozen=True)
class Shown:
    """An image that is kept to be shown: the truth and what each candidate made of it, `[H, W]`."""

    image_id: str
    psnr: dict[str, float]
    truth: Tensor
    made: dict[str, Tensor]


@dataclass
class Measured:
    """Outcome of a comparison's stream.

    Attributes
    ----------
    tables : dict of str to DataFrame
        For each candidate a row an image, sorted by `image_id`, equal in all: `image_id`, `patient_id`, metrics.
    spectra : dict of str to Spectrum
        For each candidate, powers averaged over images, each `[1, K + 2]`; where sizes differ, over those with the
        most annuli, which all images of 64 pixels and more have.
    maps : dict of str to dict
        For each candidate, `hallucinated_own`, `lost_own`, `..._common`: how often a pixel was marked, `[H, W]`;
        none where sizes differ.
    distances : dict of str to dict
        For each candidate, `fid` and `kid` or why they are missing; empty if they were not asked for.
    best, worst : list of Shown
        Images on which the first candidate's PSNR exceeds the second's most, and least.
    missing : tuple of Missing
        Optional metrics that could not be computed.
    """

    tables: dict[str, pd.DataFrame]
    spectra: dict[str, Spectrum]
    maps: dict[str, dict[str, Tensor]]
    distances: dict[str, dict[str, float | Missing]]
    best: list[Shown]
    worst: list[Shown]
    missing: tuple[Missing, ...] = ()

    @property
    def images(self) -> pd.DataFrame:
        """`image_id` and `patient_id` of the rows of every table."""
        return next(iter(self.tables.values()))[["image_id", "patient_id"]]

    def column(self, metric: str) -> pd.DataFrame:
        """One metric, a row an image, a column a candidate."""
        return pd.DataFrame({name: table[metric] for name, table in self.tables.items()})


def measure(
    sources: Sequence[Source],
    data: DataSet,
    *,
    optional: Mapping[str, PairMetric] | None = None,
    features: Features | None = None,
    missing: tuple[Missing, ...] = (),
    on_images: Callable[[int], None] = lambda images: None,
) -> Measured:
    """Score all candidates on the same images.

    Parameters
    ----------
    sources : sequence of Source
        The candidates, at least one.
    data : DataSet
        True images, of one size or each of its own.
    optional : mapping of str to callable
        Further metrics by column name.
    features : callable, optional
        What FID and KID are computed from; None leaves them out.
    missing : tuple of Missing
        Handed on to the result.
    on_images : callable
        Called with the number of images of each batch done.

    Raises
    ------
    DataError
        If an output does not fit its image.
    CandidateError
        If a candidate fails or gives values that are not finite.
    """
    stream = _Stream([source.name for source in sources], optional or {}, features)
    for batch in data.batches("test", batch_size(data)):
        stream.add(batch, {source.name: _checked(source, batch) for source in sources})
        on_images(len(batch.ids))
    return stream.result(missing)


def _checked(source: Source, batch: Batch) -> Made:
    made = source.make(batch)
    for images in (made.images, made.reconstructions):
        if not images.isfinite().all():
            raise CandidateError(f"{source.name}: gives images that are not finite (NaN or infinity)")
    return made


@dataclass
class _Stream:
    names: list[str]
    optional: Mapping[str, PairMetric]
    features: Features | None
    _tables: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    _powers: dict[str, list[Tensor]] = field(default_factory=dict)
    _frequencies: Tensor = field(default_factory=lambda: torch.zeros(0))
    _in_spectra: int = 0
    _maps: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    _distances: dict[str, Distances] = field(default_factory=dict)
    _best: "list[tuple[float, str, Shown]]" = field(default_factory=list)
    _worst: "list[tuple[float, str, Shown]]" = field(default_factory=list)
    _sizes: set[torch.Size] = field(default_factory=set)
    _count: int = 0

    def add(self, batch: Batch, made: Mapping[str, Made]) -> None:
        truth = batch.images
        self._count += len(truth)
        self._sizes.add(truth.shape[-2:])
        shared = common_threshold(truth, [each.reconstructions for each in made.values()])
        of_truth = self.features(truth) if self.features else None
        psnr, spectra = {}, {}
        for name, each in made.items():
            columns, spectra[name] = detailed_metrics(truth, each.images)
            own = error_threshold(truth, each.reconstructions)
            for kind, threshold in zip(THRESHOLDS, (own, shared), strict=True):
                columns |= self._mark(name, kind, truth, each.images, threshold)
            columns |= {key: metric(truth, each.images) for key, metric in self.optional.items()}
            self._tables.setdefault(name, []).append(_table(batch, columns))
            if self.features and of_truth is not None:
                distances = self._distances.setdefault(name, Distances(of_truth.shape[1]))
                distances.update(of_truth, self.features(each.images))
            psnr[name] = columns["psnr"].clamp(max=HIGHEST_PSNR)
        self._add_powers(spectra, len(truth))
        if len(made) > 1:
            self._keep_extremes(batch, made, psnr)

    def result(self, missing: tuple[Missing, ...]) -> Measured:
        spectra = {
            name: Spectrum(self._frequencies, *(power[None] / self._in_spectra for power in powers))
            for name, powers in self._powers.items()
        }
        if len(self._sizes) > 1:
            missing = (
                *missing,
                Missing("map of hallucinated pixels", f"the images have {len(self._sizes)} sizes"),
            )
        return Measured(
            tables={
                name: pd.concat(parts).sort_values("image_id", ignore_index=True)
                for name, parts in self._tables.items()
            },
            spectra=spectra,
            maps={
                name: {key: total / self._count for key, total in totals.items()}
                for name, totals in self._maps.items()
                if len(self._sizes) == 1
            },
            distances={name: each.compute() for name, each in self._distances.items()},
            best=[shown for _, _, shown in sorted(self._best, key=lambda entry: -entry[0])],
            worst=[shown for _, _, shown in sorted(self._worst, key=lambda entry: -entry[0])],
            missing=missing,
        )

    def _mark(
        self, name: str, kind: str, truth: Tensor, images: Tensor, threshold: Tensor
    ) -> dict[str, Tensor]:
        found = excess(truth, images, threshold)
        if len(self._sizes) == 1:
            totals = self._maps.setdefault(name, {})
            for key, marked in (("hallucinated", found.added), ("lost", found.removed)):
                count = marked.sum(dim=(0, 1), dtype=torch.float64)
                totals[f"{key}_{kind}"] = totals.get(f"{key}_{kind}", 0) + count
        values = ("hallucinated", "lost", "hallucinated_by", "lost_by")
        return {f"{value}_{kind}": getattr(found, value) for value in values}

    def _add_powers(self, spectra: Mapping[str, Spectrum], images: int) -> None:
        """Add up powers; more annuli than there were begin anew, fewer are left out."""
        frequencies = next(iter(spectra.values())).frequencies
        if len(frequencies) < len(self._frequencies):
            return
        if len(frequencies) > len(self._frequencies):
            self._frequencies, self._powers, self._in_spectra = frequencies, {}, 0
        self._in_spectra += images
        for name, each in spectra.items():
            sums = [power.sum(dim=0) for power in each[1:]]
            before = self._powers.get(name, [torch.zeros_like(power) for power in sums])
            self._powers[name] = [total + power for total, power in zip(before, sums, strict=True)]

    def _keep_extremes(self, batch: Batch, made: Mapping[str, Made], psnr: Mapping[str, Tensor]) -> None:
        first, second = self.names[:2]
        for place, image_id in enumerate(batch.ids):
            gap = float(psnr[first][place] - psnr[second][place])
            for sign, kept in ((1, self._best), (-1, self._worst)):
                if len(kept) == SHOWN and (sign * gap, image_id) <= kept[0][:2]:
                    continue
                shown = Shown(
                    image_id,
                    {name: float(values[place]) for name, values in psnr.items()},
                    batch.images[place, 0].clone(),
                    {name: each.images[place, 0].clone() for name, each in made.items()},
                )
                push = heapq.heappush if len(kept) < SHOWN else heapq.heapreplace
                push(kept, (sign * gap, image_id, shown))


def _table(batch: Batch, columns: Mapping[str, Tensor]) -> pd.DataFrame:
    values = {
        name: (column.clamp(max=HIGHEST_PSNR) if _in_decibels(name) else column).cpu().numpy()
        for name, column in columns.items()
    }
    return pd.DataFrame({"image_id": batch.ids, "patient_id": batch.patients, **values})


def _in_decibels(name: str) -> bool:
    return "psnr" in name or name.startswith("published_")
