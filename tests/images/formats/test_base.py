"""A library that is missing stops the run: it is no reason to pass over files one by one."""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vaescreen.errors import DataError, VaescreenError
from vaescreen.images import open_data


def test_a_missing_library_stops_the_run_and_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        nib.save(
            nib.Nifti1Image(np.arange(512, dtype=np.int16).reshape(8, 8, 8), np.eye(4)),
            tmp_path / f"{name}.nii",
        )
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(VaescreenError, match=r"pip install 'vaescreen\[medical\]'") as caught:
        open_data(tmp_path, size=8)
    assert not isinstance(caught.value, DataError)
