"""What images are called: the path of their file, and their place in it where it holds several."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from vaescreen.images.formats import Frame, without_suffix
from vaescreen.images.patients import Image
from vaescreen.images.scanning import natural_key


def images_with_ids(frames: Mapping[str, Sequence[Frame]]) -> list[Image]:
    """All images in natural order of their ids."""
    names = _file_names(frames)
    images = [
        (file, frame, f"{names[file]}/{frame.key}" if frame.key else names[file])
        for file, found in frames.items()
        for frame in found
    ]
    return sorted(images, key=lambda image: natural_key(image[2]))


def _file_names(files: Iterable[str]) -> dict[str, str]:
    """Give every file a name that is unique: without suffix where possible."""
    short = {file: without_suffix(file) for file in files}
    uses = Counter(short.values())
    names = {file: stem if uses[stem] == 1 else file for file, stem in short.items()}
    return names if len(set(names.values())) == len(names) else {file: file for file in names}
