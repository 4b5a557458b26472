"""BraTS 2023 (brain MRI): `BraTS-GLI-00000-000/BraTS-GLI-00000-000-t2f.nii.gz`, a volume a sequence."""

import re
from collections.abc import Sequence

from vaescreen.registry.layouts.base import Chosen, Find, Layout

_FILE = re.compile(
    r"(?:^|/)(?P<patient>BraTS-[A-Za-z]+-\d{5})-(?P<visit>\d{3})-(?P<sequence>[a-z0-9]+)\.nii(\.gz)?$"
)


def select(find: Find, files: Sequence[str], series: str | None) -> list[Chosen]:
    """Take the volumes of one sequence; segmentations are no images, and visits of a patient belong together."""
    matches = ((file, _FILE.search(file)) for file in files)
    return [
        Chosen(file, match["patient"]) for file, match in matches if match and match["sequence"] == series
    ]


LAYOUT = Layout(
    name="brats",
    example="BraTS-GLI-00000-000/BraTS-GLI-00000-000-t2f.nii.gz",
    series=("t2f", "t1c", "t1n", "t2w"),
    select=select,
    patient_rule="BraTS subject, all visits together",
    split_rule="",
)
