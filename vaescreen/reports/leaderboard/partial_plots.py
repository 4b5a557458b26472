"""Partial plots of a fitted predictor: what each feature adds, and how far the points lie from that curve."""

from typing import Literal

import numpy as np

from vaescreen.predictor.description import by_effect
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample
from vaescreen.reports.drawing import new_figure, save

_PANELS = 5


def partial_plots(fitted: FittedPredictor, kind: Literal["svg", "png"]) -> bytes:
    """Draw a panel for each of the features that move a target most: its part, with partial residuals.

    The part is the mean prediction over the points, all with the same value of the feature, less the mean of all
    (partial dependence: Friedman, Greedy function approximation, Annals of Statistics 29(5), 2001). The partial
    residual of a point is its residual plus the part at its own value (Larsen, McCleary: The use of partial
    residual plots in regression analysis, Technometrics 14(3), 1972).

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    """
    shown = {target: by_effect(fitted, target)[:_PANELS] for target in TARGETS}
    width = max(len(each) for each in shown.values())
    figure = new_figure(3.6 * width, 3.2 * len(TARGETS))
    axes = figure.subplots(len(TARGETS), width, squeeze=False)
    data = [point.data for point in fitted.points]
    for row, target in zip(axes, TARGETS, strict=True):
        model = fitted.targets[target].model
        sample = Sample.of(fitted.points, target)
        predicted = model.predict(sample.columns)
        for panel in row[len(shown[target]) :]:
            panel.set_axis_off()
        for panel, name in zip(row, shown[target], strict=False):
            values = sample.columns[name]
            shared = [sample.columns | {name: np.full_like(values, value)} for value in values]
            part = np.array([model.predict(columns).mean() for columns in shared]) - predicted.mean()
            for each in dict.fromkeys(data):
                chosen = np.array(data) == each
                panel.scatter(values[chosen], (part + sample.target - predicted)[chosen], s=12, label=each)
            order = np.argsort(values)
            panel.plot(values[order], part[order], color="gray", linewidth=1)
            panel.set_xlabel(name)
            panel.set_ylabel(f"part of {target} (dB)")
            panel.grid(alpha=0.3)
        row[0].legend(fontsize="x-small")
    return save(figure, kind, f"partial plots, recipe {fitted.recipe}")
