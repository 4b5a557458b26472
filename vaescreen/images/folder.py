"""A folder of image files, or a list of them: what is in it, which split each image belongs to, whose it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.assignment import assign_splits, draw_splits
from vaescreen.images.contents import contents_of
from vaescreen.images.declaration import Declaration
from vaescreen.images.files import read_frame
from vaescreen.images.formats import SUFFIXES, Frame, format_of
from vaescreen.images.framing import frame as framed
from vaescreen.images.framing import framing_description
from vaescreen.images.ids import images_with_ids
from vaescreen.images.labels import LABELS
from vaescreen.images.listing import list_frames, without_labels
from vaescreen.images.manifest import MANIFEST
from vaescreen.images.metadata import owners
from vaescreen.images.patients import Image, Ownership, patients_of
from vaescreen.images.pixels import Picture, checked, drawn
from vaescreen.images.places import Place
from vaescreen.images.scanning import Item, OnImages, Skipped, counted, ignore
from vaescreen.images.set_window import AUTO_RULE, window_of_train
from vaescreen.images.splits import RULE
from vaescreen.images.walking import shown
from vaescreen.registry.layouts import Chosen
from vaescreen.registry.reading import AS_FILES_SAY, Reading

MIN_IMAGES = 3


class FolderSource:
    """Images under a folder, at any depth, of a list of files (see `read_list`), or of a file that holds many.

    Splits come from `manifest.csv` if there is one, else from the published layout if one is declared, else from the
    files themselves if they name several, else from folders (see `named_by_folders`), where val is for testing if
    test is not among them, else from a seeded choice by patient. An image's id is the path of its file in the folder
    without the suffix, with it where two files would share an id, and its place in a file that holds several. Hidden
    files and folders and `__MACOSX` are passed over.

    Parameters
    ----------
    folder
        The folder, the file, or the list, which counts as a manifest if it names splits and patients.
    size
        Side of the images delivered, or None for native size (see `frame`).
    patient_pattern
        Regular expression whose first group is the patient (see `patients_of`).
    reading
        How volumes are cut and measured values become gray.
    seed
        Seed of the split by patient.
    declaration
        What is known of the folder beforehand.
    remember
        Whether the cache may keep the names of the files.
    on_progress
        Called while files are listed.

    Raises
    ------
    DataError
        If the folder is missing or has too few images, the manifest or the pattern is wrong, or a patient
        would be in two splits.
    """

    kind: Literal["real", "phantom"] = "real"
    origin: dict[str, Any]
    place: Place
    """Where all files are."""
    unusable: tuple[Skipped, ...]
    left_out: tuple[Skipped, ...]
    passed_over: tuple[Skipped, ...]

    def __init__(
        self,
        folder: Path,
        *,
        size: int | None,
        patient_pattern: str | None,
        reading: Reading,
        seed: int,
        declaration: Declaration | None = None,
        remember: bool = True,
        on_progress: OnImages = ignore,
    ) -> None:
        contents = contents_of(folder, remember=remember)
        found, manifest = contents.walked, contents.manifest
        place = contents.place
        self.place, self._size, self._reading = place, size, reading
        as_listed = replace(reading, window=AS_FILES_SAY.window) if reading.window.kind == "auto" else reading
        if manifest and patient_pattern is not None:
            raise DataError(f"{manifest} already names the patients; leave the patient pattern out")
        if declaration and declaration.layout and patient_pattern is not None:
            raise DataError(f"{declaration.name} names the patients itself; leave the patient pattern out")
        published = declaration.layout if declaration and not manifest else None
        entries: dict[str, Chosen] = {}
        if manifest:
            entries = {row.file: Chosen(row.file, row.patient, row.split) for row in contents.rows}
        elif declaration and published:
            entries = {chosen.file: chosen for chosen in _published(declaration, place, found.files)}
        labels: list[str] = []
        files = list(entries) or found.files
        if not (entries or reading.keep_labels):
            files, labels = without_labels(found.files)
        listing = list_frames(place, files, as_listed, on_progress, remember=remember)
        per_file = declaration.slices_per_volume if declaration else None
        frames = {file: _evenly(of_file, per_file) for file, of_file in listing.frames.items()}
        stated = {} if entries else owners(place, [each.path for each in found.passed_over])
        for file in stated.keys() & frames.keys():
            frames[file] = [frame._replace(patient=stated[file]) for frame in frames[file]]
        self._stamps = listing.stamps
        self.unusable = (*listing.unusable, *(() if manifest else found.unusable))
        self.left_out = (*(Skipped(shown(file), LABELS, LABELS) for file in labels), *listing.left_out)
        self.passed_over = tuple(each for each in found.passed_over if not manifest or each.path != MANIFEST)
        images = images_with_ids(frames)
        _require(self, folder, [(file, frame.key) for file, frame, _ in images])
        kinds = {kind.name: kind for kind in listing.kinds}
        _check_obeyed(place, reading, frames)
        if entries:
            by_manifest = manifest.name if manifest else ""
            rules = (published.patient_rule, published.split_rule) if published else (by_manifest,) * 2
            sorting = _stated(folder, images, entries, rules, seed)
        else:
            sorting = _found(place.root, images, patient_pattern, seed, self.unusable, named=remember)
        self.items = tuple(
            Item(id_, sorting.patients[id_], sorting.splits[id_], file, frame.key)
            for file, frame, id_ in images
        )
        chosen = window_of_train(place, self.items, reading, on_progress) if as_listed != reading else None
        if chosen:
            self._reading = replace(reading, window=chosen)
        self.origin = {
            "folder": str(place.root.resolve()),
            "reading": self._reading.description(),
            **framing_description(size),
        }
        open_choices = set(kinds) - {"image"} or reading != AS_FILES_SAY
        self.description: dict[str, Any] = {
            "source": _kind_of_source(folder),
            "folder": folder.resolve().name,
            "gray": {name: kind.description for name, kind in sorted(kinds.items())},
            "reading": self._reading.description() if open_choices else None,
            **({"window_rule": AUTO_RULE} if chosen else {}),
            **framing_description(size),
            "split_rule": sorting.split_rule,
            "patient_rule": sorting.patient_rule,
            "warnings": [*sorting.warnings, *contents.remarks],
            "seed": seed if sorting.split_rule == RULE else None,
            "files_not_in_manifest": len(set(found.files) - set(entries)) if manifest else 0,
            **(_declared(declaration, published is not None) if declaration else {}),
        }

    def load(self, item: Item) -> Picture:
        """Decode, crop and resize one image; what is no data is drawn black first."""
        file = str(item.key)
        kind = self.place.kind(file)
        picture = drawn(read_frame(self.place.path(file), item.frame, self._reading, kind))
        pixels = checked(picture.pixels) if picture.no_data else picture.pixels
        return picture._replace(pixels=framed(pixels, self._size))

    def stamps(self) -> list[Any]:
        """Give the place of every image, with size and times of its file: it cannot change and keep them all."""
        return [[item.key, item.frame, *self._stamps[str(item.key)]] for item in self.items]


class _Sorting(NamedTuple):
    """Whose each image is and for what, by id, the rules in words, and what is doubtful."""

    patients: Mapping[str, str]
    splits: Mapping[str, str]
    patient_rule: str
    split_rule: str
    warnings: Sequence[str] = ()


def _stated(
    folder: Path, images: Sequence[Image], entries: Mapping[str, Chosen], rules: tuple[str, str], seed: int
) -> _Sorting:
    """Sort images as a manifest or a published layout says; draw the splits where it says none."""
    patients = {id_: entries[file].patient for file, _, id_ in images}
    splits = {id_: split for file, _, id_ in images if (split := entries[file].split)}
    if len(splits) == len(images):
        return _Sorting(patients, splits, *rules)
    drawn = draw_splits(folder, images, patients, seed)
    return _Sorting(patients, drawn.splits, rules[0], drawn.rule)


def _found(
    root: Path,
    images: Sequence[Image],
    pattern: str | None,
    seed: int,
    unusable: Sequence[Skipped],
    *,
    named: bool,
) -> _Sorting:
    """Sort images by what the files and their names say; warnings name patients only if they may."""
    owned = patients_of(images, pattern)
    try:
        assigned = assign_splits(root, images, owned.patients, seed)
    except DataError as error:
        raise DataError(f"{error}{_beside(unusable)}") from error
    warnings = (*owned.warnings, *_joined(owned, named=named), *assigned.warnings)
    return _Sorting(owned.patients, assigned.splits, owned.rule, assigned.rule, warnings)


def _kind_of_source(place: Path) -> str:
    if place.is_dir():
        return "folder"
    return "archive" if archives.stem(place.name) else "file" if format_of(place) else "list"


def _published(declaration: Declaration, place: Place, found: Sequence[str]) -> list[Chosen]:
    layout = declaration.layout
    assert layout is not None, "only called where there is one"
    chosen = layout.select(
        lambda table: place.path(table) if place.has(table) else None, found, declaration.series
    )
    if not chosen:
        raise DataError(
            f"{place.root} has no image in the layout of {declaration.name}; "
            f"give the folder in which there is, for instance, {_example(declaration)}"
        )
    return chosen


def _example(declaration: Declaration) -> str:
    layout = declaration.layout
    assert layout is not None
    return (
        layout.example.replace(layout.series[0], declaration.series) if declaration.series else layout.example
    )


def _declared(declaration: Declaration, as_published: bool) -> dict[str, Any]:
    """What the declaration decided and what it says of the data set, for the record."""
    decided = {
        "layout": declaration.layout.name if declaration.layout and as_published else None,
        "series": declaration.series if as_published else None,
        "slices_per_volume": declaration.slices_per_volume,
    }
    return {key: value for key, value in decided.items() if value} | {"data_set": declaration.about}


def _evenly(frames: Sequence[Frame], count: int | None) -> Sequence[Frame]:
    """The middle ones of `count` equal parts; all if there are no more than that."""
    if count is None or len(frames) <= count:
        return frames
    return [frames[(2 * part + 1) * len(frames) // (2 * count)] for part in range(count)]


def _require(source: FolderSource, folder: Path, found: Sequence[tuple[str, str]]) -> None:
    """Refuse too few images; if some are there but cannot be read, for the reason of the first."""
    if len(found) + len(source.unusable) >= MIN_IMAGES:
        return
    for wrong in source.unusable:
        raise DataError(
            f"{folder / wrong.path}: {wrong.reason}" if folder.is_dir() else f"{folder}: {wrong.reason}"
        )
    for file, key in found:
        try:
            read_frame(source.place.path(file), key, AS_FILES_SAY)
        except DataError as error:
            raise DataError(f"{source.place.root / file}: {error}") from error
    count = len(found)
    others = [*source.left_out, *source.passed_over]
    beside = f"; what else is there: {counted(others)}" if others else ""
    keep = "; give --keep-labels to take what is no picture, too" if source.left_out else ""
    raise DataError(
        f"{folder} holds {count} image{'' if count == 1 else 's'}; give at least {MIN_IMAGES} "
        f"({', '.join(sorted(SUFFIXES))}), so that there are some to train on and some to test on{beside}{keep}"
    )


def _beside(unusable: Sequence[Skipped]) -> str:
    """What else is wrong, where something is."""
    if not unusable:
        return ""
    return f" ({len(unusable)} files cannot be used, the first is {unusable[0].path}: {unusable[0].reason})"


def _check_obeyed(place: Place, reading: Reading, frames: Mapping[str, Sequence[Frame]]) -> None:
    """Refuse a choice that changes nothing, since whoever made it believes that it does: volumes alone obey any."""
    several = (file for file, of_file in frames.items() if any(frame.key for frame in of_file))
    obeyed = {choice for file in several if (kind := place.kind(file)) for choice in kind.obeys}
    made = {"axis": reading.axis != AS_FILES_SAY.axis, "slices": reading.slices is not None}
    for choice, is_made in made.items():
        if is_made and choice not in obeyed:
            raise DataError(f"no file of {place.root} obeys --{choice}, which is for volumes; leave it out")


def _joined(owned: Ownership, *, named: bool) -> list[str]:
    """Say which ids were taken for one patient's; only how many, where files may not be named."""
    if not owned.joined:
        return []
    groups = "; ".join(" = ".join(group) for group in owned.joined)
    which = f": {groups}" if named else ""
    return [
        f"{len(owned.joined)} patients have several ids in one study, and count as one each{which}; name them by "
        "--patients REGEX if that is wrong"
    ]
