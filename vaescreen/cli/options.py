"""Every option and argument that more than one command has, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli.grouping import CLUSTER as _CLUSTER
from vaescreen.cli.grouping import DATA as _DATA
from vaescreen.cli.grouping import OUTPUT as _OUTPUT
from vaescreen.cli.grouping import REQUIRED, Group
from vaescreen.cli.grouping import RUN as _RUN

if TYPE_CHECKING:
    from vaescreen.execution import Machine

NATIVE = "native"
DATA_HELP = "A folder of images, a list of files (.csv, .json), or a name that `vaescreen data list` shows: chest, ..."
SIZE_HELP = (
    "Side of the images in pixels; native, where it is taken: each image as it is, whatever its sides."
)
PATIENTS_HELP = (
    "Pattern whose first group in a file's name (or path, if it has a slash) is the patient, for folders without "
    "manifest.csv."
)
WINDOW_HELP = (
    "Values that become black and white, in the unit of the files (Hounsfield for CT); auto takes percentiles 0.5 and "
    "99.5 of the train images. Also file, full, 'level CENTRE,WIDTH', 'percentile LOW,HIGH' (of each)."
)
DOMAIN_HELP = "What it was trained on: natural, medical, generic or none."
LICENCE_HELP = "Its licence, by SPDX identifier such as MIT."
CITATION_HELP = "Whom to cite."
NAME_HELP = "What to call it."
MARGIN_HELP = "Difference in PSNR that does not matter: tested as equivalence."
RECIPE_HELP = "Description of an SR training, by name."
OUT_HELP = "Where to write."
"""What an option says of itself that several commands have, each with a default or a panel of its own."""


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class DeviceName(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Candidates = Annotated[
    list[str],
    typer.Argument(metavar="CANDIDATE", help="Names in the registry.", show_default=False),
]
Candidate = Annotated[str, typer.Argument(metavar="CANDIDATE", help="Name in the registry.")]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help=DATA_HELP,
        rich_help_panel=_DATA,
    ),
]
ManyData = Annotated[
    list[str],
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help=DATA_HELP,
        rich_help_panel=_DATA,
    ),
]
DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PATH",
        help="A name that `vaescreen data list` shows, a folder of images, or a list of files (.csv, .json).",
    ),
]
Patients = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help=PATIENTS_HELP,
        rich_help_panel=_DATA,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(help=NAME_HELP, show_default="the folder's name", rich_help_panel=_DATA),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="N|native",
        help=SIZE_HELP,
        show_default="the recipe's",
        rich_help_panel=_DATA,
    ),
]
Private = Annotated[
    bool,
    typer.Option(
        "--private",
        help="Keep ids as hashes and names of files and folders out of results and output; show no images.",
        rich_help_panel=_DATA,
    ),
]
Window = Annotated[
    str | None,
    typer.Option(
        metavar="LOW,HIGH|auto",
        help=WINDOW_HELP,
        show_default="what the files say",
        rich_help_panel=_DATA,
    ),
]
KeepLabels = Annotated[
    bool,
    typer.Option(
        "--keep-labels",
        help="Take in what is no picture: segmentations, label maps, doses, localizers, screen saves.",
        rich_help_panel=_DATA,
    ),
]
TrainImages = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Use at most N train images; draw N if they are phantoms.",
        show_default="all, 200 phantoms",
        rich_help_panel=_DATA,
    ),
]
TestImages = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Score at most N test images; draw N if they are phantoms.",
        show_default="all, 60 phantoms",
        rich_help_panel=_DATA,
    ),
]
Recipe = Annotated[str, typer.Option(metavar="RECIPE", help=RECIPE_HELP)]
RegistryFile = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        help="Registry file whose entries join the known ones, or replace those of the same name; a command that "
        "makes an entry writes it there, else into your own file, and one that removes an entry looks for it there.",
        show_default=False,
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of result files: what is there and still valid is not made again.",
        show_default="the cache",
        rich_help_panel=_RUN,
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Candidates worked on at a time.",
        show_default="cores, at most 4; what fits on a cluster",
        rich_help_panel=_RUN,
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="How long a candidate may take for one batch of images.",
        show_default="1800",
        rich_help_panel=_RUN,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="local|ray[:ADDRESS]",
        help="This machine, or the nodes of a Ray cluster (extra: ray).",
        rich_help_panel=_CLUSTER,
    ),
]
GpuShare = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="With --engine ray: GPUs that each candidate takes; 0.25 puts four on one.",
        rich_help_panel=_CLUSTER,
    ),
]
Device = Annotated[
    DeviceName,
    typer.Option(help="Where networks run; auto takes a GPU if there is one.", rich_help_panel=_RUN),
]
MachineOptions = Annotated[
    dict[str, Any],
    Group(
        processes=(Processes, None),
        engine=(Engine, "local"),
        gpu_share=(GpuShare, 1.0),
        device=(Device, DeviceName.AUTO),
        time_limit=(TimeLimit, None),
    ),
]
"""What `machine` takes."""
_SEED_HELP = "Of weights, noise and crops; give it several times where several models are trained."
Seed = Annotated[int, typer.Option("--seed", min=0, help=_SEED_HELP, rich_help_panel=_RUN)]
Seeds = Annotated[list[int], typer.Option("--seed", min=0, help=_SEED_HELP, rich_help_panel=_RUN)]
FIRST_SEED = [0]
SplitSeed = Annotated[
    int,
    typer.Option(
        "--split-seed",
        min=0,
        help="Of splits and phantoms; seeds of trainings do not move these.",
        rich_help_panel=_DATA,
    ),
]
_READING: dict[str, tuple[Any, Any]] = {
    "patients": (Patients, None),
    "private": (Private, False),
    "window": (Window, None),
    "keep_labels": (KeepLabels, False),
    "train_images": (TrainImages, None),
    "test_images": (TestImages, None),
    "seed": (SplitSeed, 0),
}
_READING_ONE = _READING | {"name": (Name, None)}
ImageOptions = Annotated[dict[str, Any], Group(data=(Data, REQUIRED), **_READING_ONE)]
"""Fields of `vaescreen.images.DataOptions`."""
ShownImageOptions = Annotated[dict[str, Any], Group(data=(DataArgument, REQUIRED), **_READING_ONE)]
"""The same, the data named by an argument."""
ManyImageOptions = Annotated[dict[str, Any], Group(data=(ManyData, REQUIRED), **_READING)]
"""The same for several data sets, which keep their names."""


def _page(path: Path | None) -> Path | None:
    """Refuse a page that would not be HTML, or could not be written, before hours go into it."""
    from vaescreen.storage import ensure_writable

    if path is None:
        return None
    if path.suffix.lower() != ".html":
        raise typer.BadParameter(f"{path} is no page; give a file that ends in .html")
    ensure_writable(path.parent)
    return path


Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Also write one page with charts, pictures and tables; it needs nothing from elsewhere.",
        show_default="none",
        callback=_page,
        rich_help_panel=_OUTPUT,
    ),
]
"""Page of a command's result."""
NOT_ALL_DONE = 3
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help=f"Exit with {NOT_ALL_DONE} if anything asked for by name was not done.",
        rich_help_panel=_OUTPUT,
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", help="How to print the result.", rich_help_panel=_OUTPUT)
]


def machine(
    processes: int | None, engine: str, gpu_share: float, device: DeviceName, time_limit: float | None
) -> "Machine":
    """Where work runs, as `MachineOptions` say."""
    from vaescreen.execution import Machine, engine_named

    return Machine(processes, engine_named(engine, gpu_share), device.value, time_limit)


def side(size: str | None) -> int | None:
    """Side in pixels that `Size` says, None for native; by default that of the recipe that ranks."""
    from vaescreen.superres.recipes import DEFAULT, RECIPES

    if size is None:
        return RECIPES[DEFAULT].size
    if size == NATIVE:
        return None
    try:
        return int(size)
    except ValueError:
        raise typer.BadParameter(f"give a number of pixels, or {NATIVE}", param_hint="--size") from None


def results_folder(given: Path | None) -> Path:
    """Folder that `Results` says."""
    from vaescreen.storage import cache_dir

    return given or cache_dir() / "results"
