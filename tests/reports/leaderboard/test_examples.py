import pytest
from PIL import Image

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.linear import open_linear
from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.reports.leaderboard.examples import draw_examples


def test_draws_phantoms_and_the_same_bytes_again(tmp_path):
    pytest.importorskip("matplotlib")
    data = open_data("chest-phantom", size=64, train_images=4, test_images=1)
    codec = open_linear("dct", Geometry(4, 8), data, "dct-f8c4")
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        draw_examples({"dct-f8c4": codec, "again": codec}, data, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert image.width > image.height > 100


def test_refuses_real_images(tmp_path):
    for number in range(4):
        Image.linear_gradient("L").rotate(90 * number).save(tmp_path / f"{number}.png")
    data = open_data(tmp_path, size=32)
    with pytest.raises(DataError, match="examples are drawn on phantoms"):
        draw_examples({}, data, tmp_path / "out.png")
