"""Figures of a comparison: what differs, in which bands and frequencies, and how intensities agree."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from vaescreen.metrics.agreement import Agreement
from vaescreen.ranking.comparison.analysis import BANDS, PRIMARY
from vaescreen.ranking.comparison.run import Report
from vaescreen.reports.comparison.galleries import draw_extremes, draw_maps
from vaescreen.reports.drawing import new_figure, save
from vaescreen.statistics.clusters import Patients
from vaescreen.storage import write_bytes

if TYPE_CHECKING:
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

_WAVELETS = {"haar": "Haar", "smooth": "sym4"}


def draw_all(report: Report, folder: Path) -> list[Path]:
    """Draw every figure of a comparison into a folder.

    `hallucination.png` only of images of one size, `differences.svg` of two patients or more.
    `extremes.png` and `hallucination.png` show images of the data themselves: mind them before you share the
    folder. They are not drawn of private data.

    Parameters
    ----------
    report : Report
        What was compared.
    folder : Path
        Made if it is not there; files of the same names are overwritten.

    Returns
    -------
    list of Path
        The files, in order.

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    CacheError
        If a file cannot be written.
    """
    drawings: dict[str, Callable[[Report], Figure]] = {
        **({"differences.svg": _differences} if report.analysis.metrics[PRIMARY].pairs else {}),
        "bands.svg": _bands,
        "spectrum.svg": _spectrum,
        "agreement.svg": _agreement,
    }
    if not report.data.private:
        drawings |= {"extremes.png": draw_extremes}
        drawings |= {"hallucination.png": draw_maps} if report.measured.maps else {}
    description = f"{report.data.name}: {', '.join(report.candidates)}"
    paths = []
    for name, draw in drawings.items():
        path = folder / name
        write_bytes(path, save(draw(report), "png" if path.suffix == ".png" else "svg", description))
        paths.append(path)
    return paths


def _differences(report: Report) -> "Figure":
    """Violins of paired PSNR differences by image, patients as dots, the interval of the mean as a bar."""
    result = report.analysis.metrics[PRIMARY]
    values = report.measured.column(PRIMARY)
    groups = Patients.of(report.measured.images["patient_id"].tolist())
    figure = new_figure(max(2.2 * len(result.pairs) + 2.0, 4.5), 4.5)
    axes = figure.add_subplot()
    margin = report.analysis.margin
    axes.axhspan(-margin, margin, color="0.9", label=f"margin of {margin} dB")
    axes.axhline(0, color="0.4", linewidth=0.8)
    random = np.random.default_rng(0)
    for place, pair in enumerate(result.pairs):
        differences = (values[pair.first] - values[pair.second]).to_numpy()
        if np.ptp(differences) > 0:
            parts = axes.violinplot(differences, positions=[place], widths=0.8, showextrema=False)
            for body in cast("list[PolyCollection]", parts["bodies"]):
                body.set_alpha(0.35)
        dots = groups.means(differences)
        axes.scatter(
            place + random.uniform(-0.06, 0.06, len(dots)),
            dots,
            s=8,
            color="C0",
            label=_once("patients", place),
        )
        mean = pair.difference
        below, above = mean.value - mean.low, mean.high - mean.value
        axes.errorbar(
            place + 0.2,
            mean.value,
            yerr=[[max(below, 0)], [max(above, 0)]],
            fmt="o",
            color="black",
            capsize=4,
            label=_once("mean, 95 % interval", place),
        )
    axes.set_xticks(range(len(result.pairs)), [f"{pair.first}\n− {pair.second}" for pair in result.pairs])
    axes.set_ylabel("PSNR difference by image (dB)")
    axes.legend(fontsize="x-small")
    return figure


def _bands(report: Report) -> "Figure":
    """Bars of PSNR by wavelet band, one data range for all."""
    figure = new_figure(10.0, 6.0)
    width = 0.8 / len(report.candidates)
    panels = figure.subplots(2, 1, squeeze=False, sharex=True)[:, 0]
    for axes, (prefix, label) in zip(panels, _WAVELETS.items(), strict=True):
        for place, name in enumerate(report.candidates):
            table = report.measured.tables[name]
            heights = [table[f"{prefix}_psnr_{band}"].mean() for band in BANDS]
            axes.bar(np.arange(len(BANDS)) + (place + 0.5) * width - 0.4, heights, width, label=name)
        axes.set_title(
            f"{label}, orthonormal: squared errors of the bands add up to the MSE", fontsize="small"
        )
        axes.set_ylabel("PSNR of the band (dB)")
        axes.set_xticks(range(len(BANDS)), BANDS)
        axes.grid(alpha=0.3, axis="y")
    panels[0].legend(fontsize="x-small")
    return figure


def _spectrum(report: Report) -> "Figure":
    """Radial power of the truth, of each candidate's images, and of their errors."""
    figure = new_figure(7.0, 4.5)
    axes = figure.add_subplot()
    for place, (name, spectra) in enumerate(report.measured.spectra.items()):
        inside = slice(1, -1)
        frequencies = spectra.frequencies[inside].numpy()
        if place == 0:
            axes.plot(frequencies, spectra.reference[0, inside].numpy(), color="black", label="HR")
        axes.plot(frequencies, spectra.estimate[0, inside].numpy(), color=f"C{place}", label=name)
        axes.plot(
            frequencies, spectra.error[0, inside].numpy(), "--", color=f"C{place}", label=f"{name}, error"
        )
    axes.set_yscale("log")
    axes.set_xlabel("spatial frequency (cycles a pixel)")
    axes.set_ylabel("power in the annulus")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="x-small")
    return figure


def _agreement(report: Report) -> "Figure":
    """Bland and Altman's plot of mean intensity by patient, a panel a candidate."""
    figure = new_figure(4.2 * len(report.candidates), 3.8)
    panels = figure.subplots(1, len(report.candidates), squeeze=False, sharex=True, sharey=True)[0]
    for axes, name in zip(panels, report.candidates, strict=True):
        table = report.measured.tables[name]
        groups = Patients.of(table["patient_id"].tolist())
        truth, made = (groups.means(table[f"{of}_mean"].to_numpy()) for of in ("reference", "estimate"))
        axes.scatter((truth + made) / 2, made - truth, s=10)
        found = report.analysis.agreement[name]
        if isinstance(found, Agreement):
            for height, style in ((found.bias, "-"), (found.lower, "--"), (found.upper, "--")):
                axes.axhline(height, color="black", linestyle=style, linewidth=1)
        axes.set_title(name, fontsize="medium")
        axes.set_xlabel("mean intensity of the patient, average of both")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("candidate − HR")
    return figure


def _once(label: str, place: int) -> str | None:
    return label if place == 0 else None
