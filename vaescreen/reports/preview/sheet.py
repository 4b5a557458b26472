"""The contact sheet as figures: test images beside what they are reduced to, distributions, and all on one page."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaescreen.images import DataSet
from vaescreen.images.degradation import Degradation
from vaescreen.images.pixels import FloatImage
from vaescreen.reports.drawing import new_figure, save
from vaescreen.reports.preview.spectra import FREQUENCIES
from vaescreen.reports.preview.survey import GRAYS, Survey

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_IN_A_ROW = 4
_COLOURS = {"train": "#1f77b4", "val": "#7f7f7f", "test": "#d62728"}
_WIDTH, _PICTURES, _PLOTS, _LINE = 11.0, 1.6, 3.2, 0.19
_LETTERS = 165


class Example(NamedTuple):
    """A test image and its low-resolution version, float32 [H, W] in [0, 1]."""

    image_id: str
    hr: FloatImage
    lr: FloatImage


def examples_of(data: DataSet, degradation: Degradation, count: int) -> list[Example]:
    """Test images from all over the split, and what the degradation makes of them; none of private data."""
    ids = data.ids("test")
    if data.private or not count:
        return []
    places = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    return [
        Example(image_id, image[0].numpy(), lr[0].numpy())
        for batch in data.batches("test", 1, only=[ids[place] for place in places])
        for image_id, image, lr in zip(batch.ids, batch.images, degradation.apply(batch.images), strict=True)
    ]


def draw_sheet(title: str, lines: Sequence[str], examples: Sequence[Example], survey: Survey) -> bytes:
    """PNG of the whole sheet: title, examples, histogram and spectrum, and `lines` of text below.

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    """
    text = [
        part for line in lines for part in textwrap.wrap(line, _LETTERS, subsequent_indent="    ") or [""]
    ]
    heights = [_height_of(examples), _PLOTS, _LINE * (len(text) + 1)]
    shown = heights if examples else heights[1:]
    figure = new_figure(_WIDTH, sum(shown) + 0.5)
    figure.suptitle(title, fontweight="bold")
    parts = figure.subfigures(len(shown), 1, height_ratios=shown, squeeze=False)[:, 0]
    if examples:
        _draw_examples(parts[0], examples)
    _draw_plots(parts[-2], survey)
    parts[-1].text(0.02, 1, "\n".join(text), va="top", fontsize=9, linespacing=1.4, parse_math=False)
    return save(figure, "png", title)


def draw_examples(examples: Sequence[Example], description: str) -> bytes:
    """PNG of the examples alone."""
    figure = new_figure(_WIDTH, _height_of(examples))
    _draw_examples(figure, examples)
    return save(figure, "png", description)


def draw_plots(survey: Survey, description: str) -> bytes:
    """SVG of histogram and spectrum alone."""
    figure = new_figure(_WIDTH, _PLOTS)
    _draw_plots(figure, survey)
    return save(figure, "svg", description)


def _height_of(examples: Sequence[Example]) -> float:
    return _PICTURES * -(-len(examples) // _IN_A_ROW)


def _draw_examples(figure: "Figure | SubFigure", examples: Sequence[Example]) -> None:
    """HR and LR side by side, several pairs in a row; LR pixels are shown as they are."""
    rows = -(-len(examples) // _IN_A_ROW)
    axes = figure.subplots(rows, 2 * _IN_A_ROW, squeeze=False).ravel()
    for place in axes:
        place.set_axis_off()
    for number, example in enumerate(examples):
        for place, pixels, what in ((2 * number, example.hr, "HR"), (2 * number + 1, example.lr, "LR")):
            axes[place].imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            size = f"{pixels.shape[1]}x{pixels.shape[0]}"
            name = textwrap.shorten(example.image_id.rpartition("/")[2], 18, placeholder="…")
            label = f"{name}\n{what} {size}" if what == "HR" else f"{what} {size}"
            axes[place].set_title(label, fontsize=7, parse_math=False)


def _draw_plots(figure: "Figure | SubFigure", survey: Survey) -> None:
    grays, frequencies = figure.subplots(1, 2)
    edges = np.linspace(0, 1, GRAYS + 1)
    for split, histogram in survey.histograms.items():
        grays.stairs(100 * histogram, edges, color=_COLOURS[split], label=split)
        frequencies.semilogy(FREQUENCIES, survey.spectra[split], color=_COLOURS[split], label=split)
    grays.set_yscale("log")
    _label(grays, "gray level", "pixels (%)", "Histogram")
    _label(frequencies, "spatial frequency (fraction of Nyquist)", "power", "Radial power spectrum")


def _label(axes: "Axes", x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.legend()
    axes.grid(alpha=0.3)
