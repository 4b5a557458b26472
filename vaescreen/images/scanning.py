"""The first look at every image: which can be used, and the fingerprint of those that can."""

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from vaescreen.errors import DataError, ResultError
from vaescreen.images.pixels import FloatImage
from vaescreen.images.splits import SPLITS, sampling_order
from vaescreen.storage import cache_dir, digest, read_json, write_json

_PIXEL_LIBRARIES = ("pillow", "numpy", "scipy")


@dataclass(frozen=True)
class Item:
    """One image of a source; `key` is its file relative to the source, or its number, `frame` its place in the file."""

    id: str
    patient: str
    split: str
    key: str | int
    frame: str = ""


@dataclass(frozen=True)
class Skipped:
    """An image that was left out: its path relative to the data set, and why."""

    path: str
    reason: str


class Source(Protocol):
    """Where images come from."""

    kind: Literal["real", "phantom"]
    description: dict[str, Any]
    """How the images are made: JSON-able, complete, without absolute paths."""
    items: tuple[Item, ...]
    unusable: tuple[Skipped, ...]
    """Files of which not even the images could be listed."""

    def load(self, item: Item) -> FloatImage:
        """Give the pixels of an item, float32 [H, W] in [0, 1]; or raise `DataError` with the bare reason."""

    def stamps(self) -> list[Any]:
        """Give, JSON-able and without reading pixels, what changes whenever an item's content may change."""


@dataclass(frozen=True)
class Scan:
    """Outcome of a scan: usable items in natural order of their ids, the others, and the fingerprint."""

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str


def natural_key(text: str) -> tuple[Any, ...]:
    """Sort key that puts `slice_2` before `slice_10`."""
    parts = re.split(r"(\d+)", text)
    return (*(int(part) if place % 2 else part for place, part in enumerate(parts)), text)


def scan(name: str, source: Source, limits: Mapping[str, int], seed: int) -> Scan:
    """Load every image that will be delivered once, or recall the outcome of doing so from the cache.

    Parameters
    ----------
    name
        Name of the data set, for messages.
    source
        Where the images come from.
    limits
        Largest number of images of a split; its scan ends when that is reached.
    seed
        Decides which images are taken under a limit.

    Raises
    ------
    DataError
        If more than half of the images cannot be used, or train or test ends up empty.
    """
    declaration = [source.description, dict(limits), seed, source.stamps()]
    libraries = [version(library) for library in _PIXEL_LIBRARIES]
    memo = cache_dir() / "data" / f"{digest(declaration, libraries, code_digest())}.json"
    result = _recall(memo, source)
    if result is None:
        result = _look(source, limits, seed)
        _check(name, result)
        _remember(memo, result)
    return result


def _look(source: Source, limits: Mapping[str, int], seed: int) -> Scan:
    good: list[tuple[Item, str]] = []
    skipped = [*source.unusable]
    for split in SPLITS:
        items = [item for item in source.items if item.split == split]
        limit = limits.get(split)
        if limit is not None:
            items = [items[place] for place in sampling_order([item.patient for item in items], seed)]
        found = 0
        for item in items:
            if found == limit:
                break
            try:
                pixels = source.load(item)
            except DataError as error:
                place = f"{item.key} [{item.frame}]" if item.frame else str(item.key)
                skipped.append(Skipped(place, str(error)))
                continue
            good.append((item, _pixel_digest(pixels)))
            found += 1
    good.sort(key=lambda pair: natural_key(pair[0].id))
    skipped.sort(key=lambda entry: natural_key(entry.path))
    fingerprint = digest(*([item.split, item.id, item.patient, pixels] for item, pixels in good))
    return Scan(tuple(item for item, _ in good), tuple(skipped), fingerprint)


def _check(name: str, result: Scan) -> None:
    first = f"{result.skipped[0].path}: {result.skipped[0].reason}" if result.skipped else ""
    total = len(result.items) + len(result.skipped)
    if 2 * len(result.skipped) > total:
        raise DataError(
            f"{len(result.skipped)} of {total} images of {name} cannot be used, the first is {first}"
        )
    for split in ("train", "test"):
        if not any(item.split == split for item in result.items):
            raise DataError(
                f"{name} has no usable {split} image"
                + (f"; {len(result.skipped)} cannot be used, the first is {first}" if first else "")
                + "; add images, or say in manifest.csv (file, split, patient_id) which are for what"
            )


def _recall(memo: Path, source: Source) -> Scan | None:
    """Read a remembered scan; a damaged one is as good as none, since it can be made again."""
    try:
        known = read_json(memo)
        by_id = {item.id: item for item in source.items}
        items = tuple(by_id[item] for item in known["items"])
        return Scan(items, tuple(Skipped(**entry) for entry in known["skipped"]), known["fingerprint"])
    except (ResultError, KeyError, TypeError):
        return None


def _remember(memo: Path, result: Scan) -> None:
    skipped = [{"path": entry.path, "reason": entry.reason} for entry in result.skipped]
    items = [item.id for item in result.items]
    write_json(memo, {"fingerprint": result.fingerprint, "skipped": skipped, "items": items})


def _pixel_digest(pixels: FloatImage) -> str:
    total = hashlib.sha256(repr(pixels.shape).encode())
    total.update(np.ascontiguousarray(pixels, "<f4").tobytes())
    return total.hexdigest()


@functools.cache
def code_digest() -> str:
    """Hash of the code that makes pixels: when decoding, framing or phantoms change, memos are outdated."""
    folder = Path(__file__).parent
    return digest(*(file.read_bytes() for file in sorted(folder.rglob("*.py"))))
