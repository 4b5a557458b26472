"""What is read, left out, refused and warned of, as one table made of the code's own lists.

python -m vaescreen.images.catalogue > docs/images.md
"""

from vaescreen.images.archives import SUFFIXES as ARCHIVES
from vaescreen.images.formats import FORMATS
from vaescreen.images.formats.dicom import purposes
from vaescreen.images.formats.volume import MAX_BYTES
from vaescreen.images.gray_range import LEAST
from vaescreen.images.labels import FEW, LABELS, SOME
from vaescreen.images.manifest import COLUMNS, LIST_SUFFIXES, MANIFEST
from vaescreen.images.metadata import TABLES
from vaescreen.images.patients import NAMINGS
from vaescreen.images.pixels import MAX_PIXELS, MIN_SIDE
from vaescreen.images.splits import NAMES

_ARCHIVED = "given as the data set: read in place, a compressed tar as a plain one in the cache"
_INTRODUCTION = """\
# Which images are read

Made from the code's own lists by `python -m vaescreen.images.catalogue > docs/images.md`; a test keeps it fresh. A \
file's content decides what it is, and its name only where the content tells nothing. \
`vaescreen data show DATA --files` names every file that was not used, with its reason.
"""


def document() -> str:
    """Give the page as Markdown."""
    rows = [*_read(), *_left_out(), *_refused(), *_warned_of(), *_sorted_by()]
    lines = ["| what happens | to what | how, or why |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join([_INTRODUCTION, *lines, ""])


def _read() -> list[tuple[str, str, str]]:
    rows = []
    for kind in FORMATS:
        said = "; ".join(f"{key}: {value}" for key, value in kind.description.items())
        rows.append(("read", f"{kind.name} ({', '.join(sorted(kind.suffixes))})", said))
    listed = f"a list with the column `{COLUMNS[0]}`, and perhaps `{COLUMNS[1]}` and `{COLUMNS[2]}`"
    return [
        *rows,
        (
            "read",
            f"archives ({', '.join(ARCHIVES)})",
            "given as the data set: read in place; a compressed tar becomes a plain one in the cache",
        ),
        ("read", f"lists ({', '.join(LIST_SUFFIXES)}), `{MANIFEST}`", f"{listed}; CSV with semicolons, too"),
        ("read", f"{', '.join(f'`{name}`' for name in TABLES)}", "patients of Hugging Face image folders"),
    ]


def _left_out() -> list[tuple[str, str, str]]:
    objects = [(kind, "by SOP class or modality") for kind in sorted(set(purposes.CLASSES.values()))]
    types = [
        (kind, f"by ImageType: {', '.join(sorted(marks))}") for kind, marks in purposes.IMAGE_TYPES.items()
    ]
    by_content = (
        f"by name or folder (`x_seg`, `masks/`), or by content: at most {FEW} values, or {SOME} in areas"
    )
    kept = "; `--keep-labels` takes it in"
    return [
        *(("left out, counted", f"DICOM: {kind}", how + kept) for kind, how in (*objects, *types)),
        ("left out, counted", LABELS, by_content + kept),
        ("passed over, counted", "hidden files and folders, `__MACOSX`", "archives of macOS have them"),
        ("passed over, counted", "pixels of the header beside", "read with that header"),
        ("passed over, counted", "archives within a folder, files of no known kind", "each by its suffix"),
    ]


def _refused() -> list[tuple[str, str, str]]:
    return [
        (
            "refused",
            "damaged, truncated, encrypted or constant files",
            "each with its own reason; a run stops if half are",
        ),
        (
            "refused",
            f"images under {MIN_SIDE}x{MIN_SIDE} or over {MAX_PIXELS} pixels",
            "before they are decoded",
        ),
        ("refused", f"volumes that take over {MAX_BYTES >> 20} MiB of memory", "before they are decoded"),
        ("refused", "colour whole-slide images (pyramids of tiles)", "cut them into single images"),
        (
            "refused",
            "links to folders, names that are not UTF-8, pipes and devices",
            "each with its own reason",
        ),
        (
            "refused",
            "a `--window` or an axis that no file obeys",
            "whoever made the choice believes that it counts",
        ),
    ]


def _warned_of() -> list[tuple[str, str, str]]:
    return [
        (
            "warned of",
            f"less than {LEAST:.0%} of the gray range used by the set",
            "`--window auto` or `--window LOW,HIGH`",
        ),
        (
            "warned of",
            "pixels without data (NaN, infinite, DICOM padding)",
            "drawn black, outside percentiles, counted",
        ),
        (
            "warned of",
            "patients that were not found, or share a study",
            "`--patients REGEX` or `manifest.csv`",
        ),
        (
            "warned of",
            "a `manifest.csv` of another kind, semicolons, folders that name one split only",
            "said in a line",
        ),
    ]


def _sorted_by() -> list[tuple[str, str, str]]:
    folders = [
        ("split", f"folders {', '.join(names)}", f"{split}; any case, at the top or one level deeper")
        for split, names in NAMES.items()
    ]
    return [*folders, *(("patient", naming, "by the name, if it fits every file") for naming in NAMINGS)]


if __name__ == "__main__":
    print(document(), end="")
