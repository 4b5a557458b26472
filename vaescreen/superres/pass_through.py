"""How much of a gain in AE ceiling arrives in super-resolution, where parent and child have reference points."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaescreen.autoencoders import fingerprint_of
from vaescreen.autoencoders.adaptation.gain import Gain, paired_gain
from vaescreen.errors import ResultError
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import read_json
from vaescreen.superres.paths import point_files, point_table


@dataclass(frozen=True)
class PassThrough:
    """Gains of one recipe on the same images: in AE ceiling at the recipe's size, and in SR PSNR."""

    recipe: str
    seeds: int
    ceiling: Gain
    sr: Gain

    @property
    def percent(self) -> float:
        """SR gain in percent of the gain in AE ceiling."""
        return 100 * self.sr.value / self.ceiling.value


def pass_through(results: Path, parent: Candidate, child: Candidate, data: DataSet) -> list[PassThrough]:
    """Compare all recipes by which both were trained on `data`; values are means over the seeds that both have.

    Raises
    ------
    ResultError
        If a result is damaged, or its images differ from those of its partner.
    """
    tables: dict[tuple[str, int], dict[str, pd.DataFrame]] = {}
    for candidate in (parent, child):
        fingerprint = fingerprint_of(candidate, data)
        for file in point_files(results):
            if (file.candidate, file.data) != (candidate.name, data.name):
                continue
            if read_json(file.path)["fingerprint"] == fingerprint:
                table = point_table(file.path).set_index("image_id").sort_index()
                tables.setdefault((file.recipe, file.seed), {})[candidate.name] = table
    pairs = {key: both for key, both in tables.items() if len(both) == 2}
    return [
        _compare(
            recipe, [(both[parent.name], both[child.name]) for (r, _), both in pairs.items() if r == recipe]
        )
        for recipe in sorted({recipe for recipe, _ in pairs})
    ]


def _compare(recipe: str, pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> PassThrough:
    index = pairs[0][0].index
    if any(not table.index.equals(index) for pair in pairs for table in pair):
        raise ResultError(
            f"reference points of recipe {recipe} are of different images; train one of them again"
        )
    patients = tuple(pairs[0][0]["patient_id"])

    def gain(column: str) -> Gain:
        before, after = (_mean([pair[side][column] for pair in pairs]) for side in (0, 1))
        return paired_gain(before, after, patients)

    return PassThrough(recipe, len(pairs), gain("ae_ceiling"), gain("sr_psnr"))


def _mean(columns: "list[pd.Series[float]]") -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.stack([column.to_numpy(dtype=np.float64) for column in columns])
    mean: NDArray[np.float64] = values.mean(axis=0)
    return mean
