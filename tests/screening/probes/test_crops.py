"""Random crops of latents whose sizes differ, and the place of each cell in its block."""

import torch

from vaescreen.screening.probes.crops import Crops, common_shape, placed


def latents(*sizes: tuple[int, int]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Conditions and targets that hold the number of their image."""
    maps = [torch.full((1, *size), float(number)) for number, size in enumerate(sizes)]
    return maps, maps


def test_common_shape_is_that_of_most_and_some_image_holds_it():
    for sizes in ([(4, 100), (100, 4)], [(9, 9), (3, 50), (20, 20)], [(5, 6)]):
        height, width = common_shape(latents(*sizes)[1])
        assert any(rows >= height and columns >= width for rows, columns in sizes)
    assert common_shape(latents((9, 9), (3, 50), (20, 20))[1]) == (9, 20)


def test_narrow_images_do_not_narrow_the_crops_of_all_others():
    crops = Crops(*latents((40, 41), (3, 90), (37, 50)), 2, 32)
    assert crops.shape == (32, 32)
    assert len(crops) == 2
    inputs, targets = crops.draw(64, torch.Generator().manual_seed(0))
    assert set(targets.unique().tolist()) == {0.0, 2.0}
    torch.testing.assert_close(inputs[:, :1], targets)


def test_where_all_are_small_so_are_the_crops():
    crops = Crops(*latents((7, 9), (7, 9)), 2, 32)
    assert crops.shape == (7, 9)
    assert len(crops) == 2


def test_the_place_in_a_block_repeats_with_it_and_is_centred():
    told = placed(torch.zeros(1, 3, 8, 12), 4)[0, 3:]
    assert told.shape == (2, 8, 12)
    assert told[0, :, 0].tolist() == 2 * [-0.75, -0.25, 0.25, 0.75]
    assert told[1, 0].tolist() == 3 * [-0.75, -0.25, 0.25, 0.75]
