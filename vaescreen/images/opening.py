"""The one door to images: a name of the registry, phantoms, or files become a `DataSet`."""

from dataclasses import replace
from pathlib import Path

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.dataset import DataSet
from vaescreen.images.declaration import Declaration
from vaescreen.images.folder import FolderSource
from vaescreen.images.generated import COUNTS, PHANTOMS, PhantomSource
from vaescreen.images.naming import declared
from vaescreen.images.privacy import PrivateSource, discreet, private_name
from vaescreen.images.scanning import OnImages, ignore
from vaescreen.registry.reading import AS_FILES_SAY, Reading, Window, check_size


def open_data(
    spec: str | Path | Declaration,
    *,
    size: int | None = 256,
    patient_pattern: str | None = None,
    reading: Reading = AS_FILES_SAY,
    window: str | None = None,
    keep_labels: bool = False,
    seed: int = 0,
    train_images: int | None = None,
    test_images: int | None = None,
    name: str | None = None,
    on_progress: OnImages = ignore,
    private: bool = False,
    registry: Path | None = None,
) -> DataSet:
    """Open a data set by name, path or declaration.

    Parameters
    ----------
    spec
        A name of the registry or of phantoms (see `declared`), or the path of a folder, an archive of one, a file that
        holds many images, or a list of files in .csv, .json or .jsonl (see `read_list`); for a folder that is called
        like a data set write "./chest" or pass a `Path`. A declaration says more of a folder; what it says holds where
        the arguments below are left out.
    size
        Side of the images in pixels, a multiple of 8; None for the native size of files, each its own.
    patient_pattern
        Folders without a manifest: regular expression whose first group is the patient (see `FolderSource`).
    reading
        How volumes are cut into images and measured values become gray.
    window
        Values that become black and white, as text (see `Window.parse`), instead of the reading's; `auto` takes
        percentiles of the train images.
    keep_labels
        Whether to take in what is no picture, such as segmentations and localizers.
    seed
        Of the split, of the choice under `train_images` and `test_images`, and of the phantoms.
    train_images, test_images
        Folders: at most this many images, whole patients in seeded order, cut at the number.
        Phantoms: exactly this many instead of 200 and 60.
    name
        What tables call the data; by default the folder's name or the list's, or "chest-phantom" and so on.
    on_progress
        Called while files are listed and images read: with what is being done, the number done, and that in all.
    private
        Folders: ids become hashes by a key that stays on this machine, and neither results nor messages name files;
        without `name` the data is called by a hash too.
    registry
        Registry file that is laid over the others.

    Returns
    -------
    DataSet
        Checked: every image it will deliver has been decoded once, now or at an earlier opening.

    Raises
    ------
    DataError
        In one line: an unknown name, a missing or unusable folder or manifest, a size or number out of range.
    RegistryError
        If a registry file is invalid.
    """
    check_size(size)
    spec = declared(spec, registry)
    declaration = spec if isinstance(spec, Declaration) else None
    if declaration:
        name = name or (None if private else declaration.name)
        reading = declaration.reading if reading == AS_FILES_SAY else reading
        patient_pattern = declaration.patient_pattern if patient_pattern is None else patient_pattern
        train_images = declaration.train_images if train_images is None else train_images
        test_images = declaration.test_images if test_images is None else test_images
    if window is not None:
        reading = replace(reading, window=Window.parse(window))
    if keep_labels:
        reading = replace(reading, keep_labels=True)
    wanted = {
        split: number
        for split, number in (("train", train_images), ("test", test_images))
        if number is not None
    }
    for split, number in wanted.items():
        if number < 1:
            raise DataError(f"{number} {split} images were asked for; ask for at least 1")
    anatomy = str(spec).removesuffix("-phantom")
    if isinstance(spec, str) and f"{anatomy}-phantom" in PHANTOMS:
        if patient_pattern is not None:
            raise DataError(f"{anatomy} phantoms have no file names; leave the patient pattern out")
        if reading != AS_FILES_SAY:
            raise DataError(
                f"{anatomy} phantoms are drawn in full gray; leave --window and --keep-labels out"
            )
        phantoms = PhantomSource(anatomy, size=size, seed=seed, counts={**COUNTS, **wanted})
        return DataSet(
            name or f"{anatomy}-phantom", phantoms, size=size, seed=seed, limits={}, on_progress=on_progress
        )
    folder = spec.folder if isinstance(spec, Declaration) else Path(spec)
    with discreet(private):
        files = FolderSource(
            folder,
            size=size,
            patient_pattern=patient_pattern,
            reading=reading,
            seed=seed,
            declaration=declaration,
            remember=not private,
            on_progress=on_progress,
        )
    source = PrivateSource(files, folder) if private else files
    own_name = (archives.stem(folder.name) or folder.stem) if folder.is_file() else folder.resolve().name
    called = name or (private_name(folder) if private else own_name)
    return DataSet(called, source, size=size, seed=seed, limits=wanted, on_progress=on_progress)
