"""One window for a whole data set: robust percentiles of what its train images measure."""

from collections.abc import Sequence

import numpy as np

from vaescreen.errors import DataError
from vaescreen.images.files import read_frame
from vaescreen.images.places import Place
from vaescreen.images.scanning import Item, OnImages
from vaescreen.registry.reading import PERCENTILES, Reading, Window

AUTO_RULE = f"auto: percentiles {PERCENTILES[0]} and {PERCENTILES[1]} of what the train images measure"

_IMAGES, _VALUES = 256, 4096
"""Train images, evenly spaced, and values of each, likewise, that are looked at."""


def window_of_train(place: Place, items: Sequence[Item], reading: Reading, on_progress: OnImages) -> Window:
    """Find the window of a data set.

    Parameters
    ----------
    place
        Where the files lie.
    items
        All images.
    reading
        How volumes are cut.
    on_progress
        Called for every image that is looked at.

    Raises
    ------
    DataError
        If no train image can be read, or all measure the same.
    """
    measured = Reading(reading.axis, reading.slices, Window("measured"), reading.keep_labels)
    train = [item for item in items if item.split == "train"]
    looked_at = (
        [train[place] for place in np.unique(np.linspace(0, len(train) - 1, _IMAGES).astype(int))]
        if train
        else []
    )
    samples = []
    for number, item in enumerate(looked_at, start=1):
        try:
            values = read_frame(place.path(str(item.key)), item.frame, measured).ravel()
        except DataError:
            continue  # the scan says why
        values = values[np.isfinite(values)]
        samples.append(values[:: max(values.size // _VALUES, 1)])
        on_progress("finding the window", number, len(looked_at))
    if not samples:
        raise DataError(f"no train image of {place.root} can be read, so that --window auto finds no window")
    low, high = np.percentile(np.concatenate(samples).astype(np.float64), PERCENTILES)
    if not high > low:
        raise DataError(
            f"nearly all values of {place.root} are {low:g}, so that --window auto finds no window; "
            "give --window LOW,HIGH"
        )
    return Window("level", (float(low), float(high)))
