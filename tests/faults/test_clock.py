"""A clock that was set back: what changed is seen to have changed, whatever the date says."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import write_pictures

from vaescreen.images import open_data


@pytest.mark.parametrize("later_s", [-86_400, 86_400], ids=["set back", "set forward"])
def test_a_picture_that_changed_is_read_again(tmp_path: Path, later_s: float) -> None:
    folder = write_pictures(tmp_path / "pictures")
    before = open_data(folder, size=32)
    picture = sorted(folder.rglob("*.png"))[0]
    date = picture.stat().st_mtime + later_s
    pixels = np.asarray(Image.open(picture))
    Image.fromarray(pixels[::-1].copy()).save(picture)
    os.utime(picture, (date, date))
    assert open_data(folder, size=32).fingerprint != before.fingerprint
    assert open_data(folder, size=32).ids("test") == before.ids("test")
