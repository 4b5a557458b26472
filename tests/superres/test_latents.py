"""Latents are encoded once, mirrored, and paired with what the network is told of the LR image."""

import multiprocessing
import shutil
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from vaescreen.images.degradation import Degradation
from vaescreen.images.noise import Noise
from vaescreen.superres import latents
from vaescreen.superres.latents import LatentPairs, encode_pairs, latents_dir, training_pairs
from vaescreen.superres.recipes import Recipe

LANCZOS = Degradation("lanczos", 4)


@pytest.fixture
def recipe(recipe) -> Recipe:
    return replace(recipe, conditioning=("lr-latent",), target="latent")


@pytest.fixture
def data(phantoms):
    return phantoms()


@pytest.fixture
def images(data):
    return torch.cat([batch.images for batch in data.batches("train", 8)])


def same(one: LatentPairs, other: LatentPairs) -> bool:
    return torch.equal(one.hr, other.hr) and torch.equal(one.condition, other.condition)


class TestConditioning:
    def test_the_lr_latent_is_resized_to_the_hr_latent(self, shuffle, images, recipe):
        pairs = encode_pairs(shuffle(), images, recipe)
        assert pairs.hr.shape == pairs.condition.shape == (5, 16, 8, 8)
        small = F.pixel_unshuffle(LANCZOS.apply(images), 4)
        assert small.shape == (5, 16, 2, 2)
        expected = F.interpolate(small, size=(8, 8), mode="bilinear", align_corners=False)
        torch.testing.assert_close(pairs.condition, expected)
        torch.testing.assert_close(pairs.hr, F.pixel_unshuffle(images, 4))

    def test_the_upsampled_image_is_encoded(self, shuffle, images, recipe):
        pairs = encode_pairs(shuffle(), images, replace(recipe, conditioning=("upsampled-latent",)))
        bicubic = LANCZOS.upsample(LANCZOS.apply(images), (32, 32))
        torch.testing.assert_close(shuffle().decode(pairs.condition, (32, 32)), bicubic)

    def test_pixels_are_those_of_the_lr_image_where_it_has_the_size_of_the_latent(
        self, shuffle, images, recipe
    ):
        pairs = encode_pairs(shuffle(), images, replace(recipe, conditioning=("lr-pixels",)))
        torch.testing.assert_close(pairs.condition, LANCZOS.apply(images))

    def test_pixels_of_a_larger_lr_image_become_channels(self, shuffle, images, recipe):
        half = replace(recipe, conditioning=("lr-pixels",), degradation=Degradation("lanczos", 2))
        pairs = encode_pairs(shuffle(), images, half)
        assert pairs.condition.shape == (5, 4, 8, 8)
        torch.testing.assert_close(F.pixel_shuffle(pairs.condition, 2), half.degradation.apply(images))

    def test_pixels_of_a_smaller_lr_image_are_enlarged(self, shuffle, images, recipe):
        eighth = replace(recipe, conditioning=("lr-pixels",), degradation=Degradation("lanczos", 8))
        pairs = encode_pairs(shuffle(), images, eighth)
        small = F.interpolate(eighth.degradation.apply(images), (8, 8), mode="bilinear")
        torch.testing.assert_close(pairs.condition, small)

    def test_several_stand_side_by_side_in_the_order_of_the_recipe(self, shuffle, images, recipe):
        both = encode_pairs(shuffle(), images, replace(recipe, conditioning=("lr-pixels", "lr-latent")))
        assert both.condition.shape == (5, 17, 8, 8)
        latent = encode_pairs(shuffle(), images, recipe).condition
        torch.testing.assert_close(both.condition[:, 1:], latent)


def test_training_pairs_are_all_images_and_their_mirror_images(shuffle, data, images, recipe):
    pairs = training_pairs(shuffle(), data, recipe)
    decoded = shuffle().decode(pairs.hr, (32, 32))
    wanted = torch.cat([images, images.flip(-1)])
    assert {image.numpy().tobytes() for image in decoded} == {image.numpy().tobytes() for image in wanted}
    assert len(decoded) == 10


def test_noise_of_the_lr_image_belongs_to_the_image_and_not_to_its_mirror_image(shuffle, data, recipe):
    noise = Noise("gaussian", 0.1)
    noisy, clean = (
        training_pairs(
            shuffle(),
            data,
            replace(recipe, degradation=Degradation("area", 4, noise=each), conditioning=("lr-pixels",)),
        )
        for each in (noise, None)
    )
    added = (noisy.condition - clean.condition).flatten(1)
    assert torch.equal(noisy.hr, clean.hr)
    alike = torch.corrcoef(added) - torch.eye(len(added))
    assert float(alike.abs().max()) < 0.5
    for batch in data.batches("train", 1):
        expected = noise.added(Degradation("area", 4).apply(batch.images), batch.ids).clamp(0, 1)
        assert any(torch.equal(expected[0], found) for found in noisy.condition)


def test_mirror_images_may_be_left_out(shuffle, data, images, recipe):
    pairs = training_pairs(shuffle(), data, replace(recipe, mirror=False))
    torch.testing.assert_close(shuffle().decode(pairs.hr, (32, 32)), images)


def test_every_pair_is_of_one_image(shuffle, data, recipe):
    pairs = training_pairs(shuffle(), data, recipe)
    again = encode_pairs(shuffle(), shuffle().decode(pairs.hr, (32, 32)), recipe)
    torch.testing.assert_close(pairs.condition, again.condition)


class TestCache:
    @pytest.fixture(autouse=True)
    def pieces_of_two_images(self, monkeypatch):
        monkeypatch.setattr(latents, "ENCODE_BATCH", 1)
        monkeypatch.setattr(latents, "BATCHES_A_PIECE", 2)

    def test_it_gives_the_same_bytes_and_asks_the_autoencoder_nothing(self, shuffle, data, recipe):
        first, second = shuffle(), shuffle()
        done: list[int] = []
        computed = training_pairs(first, data, recipe, on_images=done.append)
        cached = training_pairs(second, data, recipe)
        assert first.encoded == 20
        assert second.encoded == 0
        assert same(cached, computed)
        assert done == [2, 4, 5]
        assert len(list(latents_dir().rglob("*.*"))) == 3

    def test_what_decides_the_latents_is_encoded_anew(self, shuffle, data, phantoms, recipe):
        training_pairs(shuffle(), data, recipe)
        others = [
            (shuffle(2.0), data, recipe),
            (shuffle(), phantoms(seed=1), recipe),
            (shuffle(), data, replace(recipe, degradation=Degradation("bicubic", 4))),
            (shuffle(), data, replace(recipe, conditioning=("upsampled-latent",))),
        ]
        for codec, images, variant in others:
            training_pairs(codec, images, variant)
            assert codec.encoded == 20
        alone = shuffle()
        training_pairs(alone, data, replace(recipe, mirror=False))
        assert alone.encoded == 10

    def test_what_decides_only_the_training_is_not(self, shuffle, data, recipe):
        training_pairs(shuffle(), data, recipe)
        codec = shuffle()
        training_pairs(codec, data, replace(recipe, objective="v", samples=50, latent_scaling="none"))
        assert codec.encoded == 0

    def test_an_interrupted_run_goes_on_after_its_last_piece(self, shuffle, data, recipe):
        def stop(done: int) -> None:
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            training_pairs(shuffle(), data, recipe, on_images=stop)
        codec = shuffle()
        resumed = training_pairs(codec, data, recipe)
        assert codec.encoded == 4
        shutil.rmtree(latents_dir(), ignore_errors=True)
        assert same(training_pairs(shuffle(), data, recipe), resumed)

    def test_a_damaged_piece_is_encoded_again(self, shuffle, data, recipe):
        straight = training_pairs(shuffle(), data, recipe)
        pieces = sorted(latents_dir().rglob("*.safetensors"))
        pieces[0].write_bytes(pieces[0].read_bytes()[:100])
        pieces[1].unlink()
        codec = shuffle()
        assert same(training_pairs(codec, data, recipe), straight)
        assert codec.encoded == 16

    def test_clearing_leaves_nothing(self, shuffle, data, recipe):
        training_pairs(shuffle(), data, recipe)
        shutil.rmtree(latents_dir(), ignore_errors=True)
        assert not latents_dir().exists()
        codec = shuffle()
        training_pairs(codec, data, recipe)
        assert codec.encoded == 20


def encode_at_once(start, shuffle_type, data, recipe, queue):
    torch.set_num_threads(1)
    start.wait()
    pairs = training_pairs(shuffle_type(), data, recipe)
    queue.put((pairs.hr.sum().item(), pairs.condition.sum().item()))


def test_two_processes_at_once_end_with_the_same_valid_file(shuffle, phantoms, recipe):
    data = phantoms()
    context = multiprocessing.get_context("fork")
    start, queue = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=encode_at_once, args=(start, shuffle, data, recipe, queue)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    sums = [queue.get(timeout=100) for _ in workers]
    for worker in workers:
        worker.join(100)
        assert worker.exitcode == 0
    codec = shuffle()
    pairs = training_pairs(codec, data, recipe)
    assert codec.encoded == 0
    assert sums == [(pairs.hr.sum().item(), pairs.condition.sum().item())] * 2
    assert len(list(latents_dir().rglob("*"))) == 2
