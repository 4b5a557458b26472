"""MRNet (knee MRI): `train|valid/axial|coronal|sagittal/NNNN.npy`, a stack of slices a case."""

import re
from collections.abc import Sequence

from vaescreen.registry.layouts.base import Chosen, Find, Layout

_FILE = re.compile(r"(?:^|/)(?P<part>train|valid)/(?P<plane>[a-z]+)/(?P<case>\d{4})\.npy$")
_SPLITS = {"train": "train", "valid": "test"}


def select(find: Find, files: Sequence[str], series: str | None) -> list[Chosen]:
    """Take the stacks of one plane; the published validation cases are for testing, since the test set is withheld."""
    matches = ((file, _FILE.search(file)) for file in files)
    return [
        Chosen(file, match["case"], _SPLITS[match["part"]])
        for file, match in matches
        if match and match["plane"] == series
    ]


LAYOUT = Layout(
    name="mrnet",
    example="train/sagittal/0000.npy",
    series=("sagittal", "coronal", "axial"),
    select=select,
    patient_rule="MRNet case number",
    split_rule="published: train for training, valid for testing",
)
