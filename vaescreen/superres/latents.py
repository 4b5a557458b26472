"""Latents of a split and of what the network is told, encoded once and kept on disk, in pieces, under fingerprints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors
from vaescreen.images.dataset import Batch, DataSet
from vaescreen.storage import cache_dir, digest
from vaescreen.superres.recipe import Recipe

ENCODE_BATCH = 16
BATCHES_A_PIECE = 32

OnImages = Callable[[int], None]


@dataclass(frozen=True)
class LatentPairs:
    """HR latents `[N, C, h, w]` and, of the same size, what the network is told of each image, `[N, D, h, w]`.

    Once they are scaled (see `scaling`), `hr` is what the network is to generate, of which the HR latents follow.
    """

    hr: Tensor
    condition: Tensor


def encode_pairs(
    autoencoder: Autoencoder, images: Tensor, recipe: Recipe, ids: Sequence[str] | None = None
) -> LatentPairs:
    """Raw latents of HR images `[B, 1, H, W]`, and the parts of the recipe's conditioning side by side.

    `ids` are those of the images; a degradation without noise needs none.
    """
    return pairs_of(autoencoder, images, recipe.degradation.apply(images, ids), recipe)


def pairs_of(autoencoder: Autoencoder, images: Tensor, lr: Tensor, recipe: Recipe) -> LatentPairs:
    """Do what `encode_pairs` does for HR images whose LR images `[B, 1, H / scale, W / scale]` are there already."""
    size = (images.shape[-2], images.shape[-1])
    return LatentPairs(
        autoencoder.encode(images), recipe.task.told(autoencoder, lr, size, recipe.degradation)
    )


def training_pairs(
    autoencoder: Autoencoder, data: DataSet, recipe: Recipe, *, on_images: OnImages = lambda count: None
) -> LatentPairs:
    """Pairs of the train split and, if the recipe says so, of its mirror images.

    What has been encoded before is read from the cache. Each piece is written atomically under a checksum: an
    interrupted run goes on after its last piece, runs side by side write the same bytes, and a damaged piece is
    encoded again.

    Parameters
    ----------
    autoencoder, data, recipe
        What decides the pairs.
    on_images
        Called with the number of train images encoded so far.
    """
    key = digest(
        "pairs-3",
        autoencoder.fingerprint,
        data.fingerprint,
        recipe.degradation.description(),
        recipe.conditioning,
        recipe.mirror,
    )
    total = len(data.ids("train"))
    count = -(-total // (ENCODE_BATCH * BATCHES_A_PIECE))
    paths = [latents_dir() / key / f"{number:05}.safetensors" for number in range(count)]
    pieces = [_read(path) for path in paths]
    if None in pieces:
        grouped = _grouped(data.batches("train", ENCODE_BATCH))
        for number, (path, batches) in enumerate(zip(paths, grouped, strict=True)):
            if pieces[number] is None:
                pieces[number] = _encode_piece(path, autoencoder, batches, recipe)
            on_images(min((number + 1) * ENCODE_BATCH * BATCHES_A_PIECE, total))
    found = [piece for piece in pieces if piece is not None]
    return found[0] if count == 1 else _joined(found)


def _encode_piece(path: Path, autoencoder: Autoencoder, batches: list[Batch], recipe: Recipe) -> LatentPairs:
    piece = _joined(
        [
            encode_pairs(autoencoder, each.images, recipe, each.ids)
            for batch in batches
            for each in ((batch, _mirrored(batch)) if recipe.mirror else (batch,))
        ]
    )
    write_tensors(path, {"hr": piece.hr, "condition": piece.condition}, _key(path))
    return piece


def _mirrored(batch: Batch) -> Batch:
    """Mirror images under ids of their own, since noise of the LR image follows from the id."""
    return replace(
        batch, ids=tuple(f"{image_id}\nmirrored" for image_id in batch.ids), images=batch.images.flip(-1)
    )


def latents_dir() -> Path:
    """Folder of the cache that latents are kept in; what is there can be computed again."""
    return cache_dir() / "latents"


def _grouped(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == BATCHES_A_PIECE:
            yield group
            group = []
    if group:
        yield group


def _read(path: Path) -> LatentPairs | None:
    """Read a piece; one that is absent or damaged is encoded again."""
    piece = recall_tensors(path, _key(path))
    return LatentPairs(**piece) if piece else None


def _key(path: Path) -> str:
    """What a piece belongs to: its encoding and its number."""
    return f"{path.parent.name}/{path.stem}"


def _joined(parts: list[LatentPairs]) -> LatentPairs:
    return LatentPairs(
        torch.cat([part.hr for part in parts]).contiguous(),
        torch.cat([part.condition for part in parts]).contiguous(),
    )
