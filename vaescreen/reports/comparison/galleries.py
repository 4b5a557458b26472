"""Images of a comparison: where one candidate is ahead most and least, and where pixels are added or lost."""

from typing import TYPE_CHECKING

import numpy as np

from vaescreen.ranking.comparison.measurement import THRESHOLDS, Shown
from vaescreen.ranking.comparison.run import Report
from vaescreen.reports.drawing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDE = 2.1


def draw_extremes(report: Report) -> "Figure":
    """Draw the images on which the first candidate is furthest ahead of the second, and furthest behind.

    A row an image: the truth, what each candidate made of it, and its error on one scale for the row.
    """
    first, second = report.candidates[:2]
    measured = report.measured
    seen = {shown.image_id for shown in measured.best}
    chosen = [*measured.best, *(shown for shown in measured.worst if shown.image_id not in seen)]
    columns = 1 + 2 * len(report.candidates)
    figure = new_figure(_SIDE * columns, (_SIDE + 0.35) * len(chosen))
    grid = figure.subplots(len(chosen), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    for row, shown in zip(grid, chosen, strict=True):
        gap = shown.psnr[first] - shown.psnr[second]
        row[0].imshow(shown.truth.numpy(), cmap="gray", vmin=0, vmax=1)
        row[0].set_title(shown.image_id, fontsize="x-small")
        row[0].set_ylabel(f"{first} {gap:+.2f} dB", fontsize="x-small")
        reach = _reach(shown)
        for place, name in enumerate(report.candidates):
            row[1 + 2 * place].imshow(shown.made[name].numpy(), cmap="gray", vmin=0, vmax=1)
            row[1 + 2 * place].set_title(f"{name}, {shown.psnr[name]:.2f} dB", fontsize="x-small")
            error = (shown.made[name] - shown.truth).numpy()
            row[2 + 2 * place].imshow(error, cmap="RdBu_r", vmin=-reach, vmax=reach)
            row[2 + 2 * place].set_title(f"error, ±{reach:.2f}", fontsize="x-small")
    return figure


def draw_maps(report: Report) -> "Figure":
    """Draw how often each pixel was hallucinated or lost, over all images, by either threshold."""
    kinds = [f"{kind}_{threshold}" for threshold in THRESHOLDS for kind in ("hallucinated", "lost")]
    maps = report.measured.maps
    figure = new_figure((_SIDE + 0.4) * len(kinds), (_SIDE + 0.4) * len(maps))
    grid = figure.subplots(len(maps), len(kinds), squeeze=False)
    highest = max(max(float(each[kind].max()) for kind in kinds) for each in maps.values())
    for row, (name, each) in zip(grid, maps.items(), strict=True):
        for axes, kind in zip(row, kinds, strict=True):
            image = axes.imshow(100 * each[kind].numpy(), cmap="magma", vmin=0, vmax=max(100 * highest, 1e-9))
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f"{kind.replace('_', ', ')} threshold", fontsize="x-small")
        row[0].set_ylabel(name, fontsize="small")
    figure.colorbar(image, ax=grid, fraction=0.05, label="% of images")
    return figure


def _reach(shown: Shown) -> float:
    """Range of the errors shown: the 99.5th percentile of the largest, at least 0.01."""
    largest = [float(np.quantile((made - shown.truth).abs().numpy(), 0.995)) for made in shown.made.values()]
    return max(*largest, 0.01)
