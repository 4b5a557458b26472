"""The first look at every image: which can be used, and the fingerprint of those that can."""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from vaescreen.errors import DataError, visible
from vaescreen.images.files import UnreachableError
from vaescreen.images.formats import NoPictureError
from vaescreen.images.gray_range import Look, look_at
from vaescreen.images.memo import Memo, Seen
from vaescreen.images.pixels import FloatImage, Picture
from vaescreen.images.splits import SPLITS, sampling_order
from vaescreen.storage import cache_dir, digest

_PIXEL_LIBRARIES = (
    "pillow",
    "numpy",
    "scipy",
    "pydicom",
    "imagecodecs",
    "nibabel",
    "h5py",
    "tifffile",
    "pynrrd",
)

OnImages = Callable[[str, int, int], None]
"""Called while a data set is opened: with what is being done, the number done so far, and the number in all."""


def ignore(doing: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source; `key` is its file relative to the source, or its number, `frame` its place in the file."""

    id: str
    patient: str
    split: str
    key: str | int
    frame: str = ""


@dataclass(frozen=True)
class Skipped:
    """An image that was left out: its path relative to the data set, and why.

    `kind` says in a word or two what it is, for counts, if it is no fault of the file: no picture, or no image at all.
    """

    path: str
    reason: str
    kind: str = ""


class Source(Protocol):
    """Where images come from."""

    kind: Literal["real", "phantom"]
    description: dict[str, Any]
    """How the images are made: JSON-able, complete, without absolute paths."""
    origin: dict[str, Any]
    """Where the images lie and what, beside an item's stamp, decides its pixels: JSON-able, never published."""
    items: tuple[Item, ...]
    unusable: tuple[Skipped, ...]
    """Files of which not even the images could be listed."""
    left_out: tuple[Skipped, ...]
    """Files that hold images which are no pictures, such as segmentations."""
    passed_over: tuple[Skipped, ...]
    """Files that are no images."""

    def load(self, item: Item) -> Picture:
        """Give an item's image; or raise `DataError` with the bare reason, `NoPictureError` if it is no picture."""

    def stamps(self) -> list[Any]:
        """Give, for each item and without reading pixels, what changes whenever these may: JSON-able."""


class Copies(NamedTuple):
    """Patients that have so many images in common."""

    patients: tuple[str, ...]
    images: int


@dataclass(frozen=True)
class Scan:
    """Outcome of a scan: usable items in natural order of their ids, the others, the fingerprint, and the look.

    `look` is what was seen of the usable images, in the same order, and `copies` are the patients that have images
    in common, pixel for pixel.
    """

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    left_out: tuple[Skipped, ...]
    fingerprint: str
    look: tuple[Look, ...]
    copies: tuple[Copies, ...]


def counted(entries: Sequence[Skipped]) -> str:
    """How many there are of each kind, in words."""
    kinds = Counter(entry.kind for entry in entries)
    return ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()))


def natural_key(text: str) -> tuple[Any, ...]:
    """Sort key that puts `slice_2` before `slice_10`."""
    parts = re.split(r"(\d+)", text)
    return (*(int(part) if place % 2 else part for place, part in enumerate(parts)), text)


def scan(
    name: str, source: Source, limits: Mapping[str, int], seed: int, on_progress: OnImages = ignore
) -> Scan:
    """Load every image that will be delivered once, or recall the outcome of doing so from the cache.

    What was seen until an interruption, or before some files changed, is recalled too.

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
    on_progress
        Called for every image.

    Raises
    ------
    DataError
        If more than half of the images cannot be used, or train or test ends up empty.
    """
    libraries = [_installed(library) for library in _PIXEL_LIBRARIES]
    memo = Memo(cache_dir() / "data" / f"{digest(source.origin, libraries, code_digest())}.jsonl")
    stamps = {item: digest(stamp) for item, stamp in zip(source.items, source.stamps(), strict=True)}
    with memo:
        result = _look(source, stamps, memo, limits, seed, on_progress)
    memo.tidy(stamps.values())
    _check(name, result)
    return result


def _look(
    source: Source,
    stamps: Mapping[Item, str],
    memo: Memo,
    limits: Mapping[str, int],
    seed: int,
    on_progress: OnImages,
) -> Scan:
    wanted = {split: [item for item in source.items if item.split == split] for split in SPLITS}
    total = sum(min(limits.get(split, len(items)), len(items)) for split, items in wanted.items())
    good: list[tuple[Item, Seen]] = []
    skipped, left_out = [*source.unusable], [*source.left_out]
    for split, items in wanted.items():
        limit, found = limits.get(split), 0
        order = range(len(items)) if limit is None else sampling_order([item.patient for item in items], seed)
        for item in (items[place] for place in order):
            if found == limit:
                break
            seen = memo.get(stamps[item])
            if seen is None:
                seen = _see(source, item, stamps[item], memo)
            if seen.pixels is None:
                place = f"{item.key} [{item.frame}]" if item.frame else str(item.key)
                wrong = Skipped(place, seen.reason or "", seen.kind)
                (left_out if seen.kind else skipped).append(wrong)
            else:
                good.append((item, seen))
                found += 1
            on_progress("reading images", min(len(good) + len(skipped), total), total)
    good.sort(key=lambda pair: natural_key(pair[0].id))
    for entries in (skipped, left_out):
        entries.sort(key=lambda entry: natural_key(entry.path))
    fingerprint = digest(*([item.split, item.id, item.patient, seen.pixels] for item, seen in good))
    return Scan(
        tuple(item for item, _ in good),
        tuple(skipped),
        tuple(left_out),
        fingerprint,
        tuple(Look(*seen.look) for _, seen in good),
        _copies(good),
    )


def _copies(good: Sequence[tuple[Item, Seen]]) -> tuple[Copies, ...]:
    """Patients with the same pixels; images of one gray level, such as those beside a body, say nothing."""
    owners: dict[str | None, set[str]] = {}
    for item, seen in good:
        if seen.look[0] < seen.look[1]:
            owners.setdefault(seen.pixels, set()).add(item.patient)
    shared = Counter(tuple(sorted(patients)) for patients in owners.values() if len(patients) > 1)
    return tuple(Copies(*each) for each in shared.most_common())


def _see(source: Source, item: Item, stamp: str, memo: Memo) -> Seen:
    try:
        picture = source.load(item)
        seen = Seen(_pixel_digest(picture.pixels), look=look_at(picture))
    except UnreachableError as error:
        return Seen(None, str(error))
    except NoPictureError as error:
        seen = Seen(None, str(error), error.kind)
    except DataError as error:
        seen = Seen(None, str(error))
    memo.add(stamp, seen)
    return seen


def _check(name: str, result: Scan) -> None:
    first = visible(f"{result.skipped[0].path}: {result.skipped[0].reason}") if result.skipped else ""
    total = len(result.items) + len(result.skipped)
    if result.left_out and not total:
        raise DataError(
            f"{name} holds no picture: {counted(result.left_out)} left out; give --keep-labels to use them all the same"
        )
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


def _pixel_digest(pixels: FloatImage) -> str:
    total = hashlib.sha256(repr(pixels.shape).encode())
    total.update(np.ascontiguousarray(pixels, "<f4").data)
    return total.hexdigest()


@functools.cache
def _installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@functools.cache
def code_digest() -> str:
    """Hash of the code that makes pixels: when decoding, framing or phantoms change, memos are outdated."""
    folder = Path(__file__).parent
    return digest(*(file.read_bytes() for file in sorted(folder.rglob("*.py"))))
