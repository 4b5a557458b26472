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
_RESULTS = "Folder of result files: what is there and still valid is not made again."


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
        help="A folder of images, a list of files (.csv, .json), or a name that `vaescreen data list` shows: "
        "chest, brain, ...",
        rich_help_panel=_DATA,
    ),
]
ManyData = Annotated[
    list[str],
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help="A name that `vaescreen data list` shows, or a folder of images; may be given several times.",
        rich_help_panel=_DATA,
    ),
]
StandardData = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="DATA",
        help="A data set to score on; may be given several times.",
        show_default="those of the registry that end in -bench",
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
        help="Pattern whose first group in a file's name is the patient, for folders without manifest.csv.",
        rich_help_panel=_DATA,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(help="What to call the data; the folder's name by default.", rich_help_panel=_DATA),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="N|native",
        help="Side of the images in pixels, or native: each image as it is, whatever its sides.",
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
        help="Values that become black and white, in the unit of the files (Hounsfield for CT); auto takes percentiles "
        "0.5 and 99.5 of the train images. Also file, full, 'level CENTRE,WIDTH', 'percentile LOW,HIGH' (of each).",
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
Recipe = Annotated[str, typer.Option(metavar="RECIPE", help="Description of an SR training, by name.")]
RegistryFile = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        help="Registry file whose candidates join the known ones, or replace those of the same name.",
        show_default=False,
    ),
]
EditedRegistry = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        help="Registry file to edit.",
        show_default="the one that the entry stands in",
    ),
]
CachedResults = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=_RESULTS,
        show_default="the cache",
        rich_help_panel=_RUN,
    ),
]
PublishedResults = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=_RESULTS,
        show_default="leaderboards/results if there is one here, else the cache",
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
Seed = Annotated[
    int, typer.Option(min=0, help="Of splits, phantoms, probes and training.", rich_help_panel=_RUN)
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
TrainingSeeds = Annotated[
    list[int],
    typer.Option(
        "--seed",
        min=0,
        help="Of weights, noise and crops; give several times for several.",
        rich_help_panel=_RUN,
    ),
]
FIRST_SEED = [0]
SplitSeed = Annotated[
    int,
    typer.Option(
        "--split-seed",
        min=0,
        help="Of splits and phantoms; training seeds do not move these.",
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
}
_NAME = {"name": (Name, None)}
ImageOptions = Annotated[dict[str, Any], Group(data=(Data, REQUIRED), **_READING, **_NAME, seed=(Seed, 0))]
"""Fields of `vaescreen.images.DataOptions`."""
ShownImageOptions = Annotated[
    dict[str, Any], Group(data=(DataArgument, REQUIRED), **_READING, **_NAME, seed=(Seed, 0))
]
"""The same, the data named by an argument."""
TrainingImageOptions = Annotated[
    dict[str, Any], Group(data=(Data, REQUIRED), **_READING, **_NAME, seed=(SplitSeed, 0))
]
"""The same for trainings, whose own seed is another."""
ManyImageOptions = Annotated[
    dict[str, Any], Group(data=(ManyData, REQUIRED), **_READING, seed=(SplitSeed, 0))
]
"""The same for several data sets, which keep their names."""
StandardImageOptions = Annotated[
    dict[str, Any], Group(data=(StandardData, None), **_READING, seed=(SplitSeed, 0))
]
"""The same, by default of the standard data sets."""
CachedPoints = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help=_RESULTS,
        show_default="the cache",
        rich_help_panel=_RUN,
    ),
]


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


def published_results(given: Path | None) -> Path:
    """Folder of results that reference points and pages are kept in."""
    from vaescreen.storage import cache_dir

    here = Path("leaderboards") / "results"
    return given or (here if here.is_dir() else cache_dir() / "results")


def reference_results(given: Path | None, recipe: str) -> Path:
    """Folder of reference points of a recipe; those of variants are not published unless it is asked for."""
    from vaescreen.storage import cache_dir

    return cache_dir() / "results" if given is None and "+" in recipe else published_results(given)
