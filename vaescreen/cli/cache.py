"""`vaescreen cache`: what is kept of what can be computed or fetched again, how large it is, and how it goes."""

import shutil
from enum import StrEnum
from typing import Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import Commands, prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, cells_of, show

app = Commands(no_args_is_help=True, help="What can be computed or fetched again: list, clean.")

_KINDS = {
    "data": "what was seen of images; opening them takes longer the next time",
    "listings": "what was seen of folders; likewise",
    "unpacked": "what lies in large .npz files and compressed tars; they are unpacked again",
    "latents": "encoded images; trainings encode them again",
    "training": "checkpoints of interrupted trainings; they begin anew",
    "adaptation": "checkpoints of interrupted adaptations; they begin anew",
    "weights": "trained weights that were kept, and published ones that were fetched",
    "datasets": "data sets that were fetched",
    "results": "score cards and points that are in no other folder of results; they are measured anew",
    "foreseen": "what was foretold of trainings that are not finished; their track record is lost",
    "pages": "pages of leaderboards; publishing makes them anew",
    "cluster": "what is on its way from a cluster",
}
"""Folders of the cache, and what is lost with each."""


class Kind(StrEnum):
    """A folder of the cache."""

    DATA = "data"
    LISTINGS = "listings"
    UNPACKED = "unpacked"
    LATENTS = "latents"
    TRAINING = "training"
    ADAPTATION = "adaptation"
    WEIGHTS = "weights"
    DATASETS = "datasets"
    RESULTS = "results"
    FORESEEN = "foreseen"
    PAGES = "pages"
    CLUSTER = "cluster"


class Held(TypedDict):
    """A folder of the cache, and what would be lost with it."""

    kind: str
    files: int
    mb: float
    what: str


class CacheList(TypedDict):
    """The cache and its folders."""

    folder: str
    rows: list[Held]


class Deleted(TypedDict):
    """What was deleted."""

    kind: str
    files: int
    mb: float


@app.command(name="list")
@prints(CacheList)
def list_cache(form: options.OutputFormat = Format.TABLE) -> None:
    """List what the cache holds, and what would be lost with it.

    The cache lies in the user's cache folder; the variable VAESCREEN_CACHE names another.

    Examples
    --------
    vaescreen cache list
    vaescreen cache list --format json
    """
    from vaescreen.storage import cache_dir

    cache = cache_dir()
    records: list[Held] = []
    for kind, lost in _KINDS.items():
        files = [path for path in (cache / kind).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        records.append({"kind": kind, "files": len(files), "mb": round(size / 1e6, 1), "what": lost})
    total = sum(record["mb"] for record in records)
    notes = ["`vaescreen cache clean KIND...` deletes."]
    payload: CacheList = {"folder": str(cache), "rows": records}
    title = f"{cache}: {total:.1f} MB"
    headers = ("kind", "files", "MB", "what is lost with it")
    show(Sheet(headers, cells_of(records), records, payload, title, notes=notes), form)


@app.command()
@prints(list[Deleted])
def clean(
    kinds: Annotated[
        list[Kind], typer.Argument(metavar="KIND", help="As `vaescreen cache list` shows them.")
    ],
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Delete parts of the cache; results that cost trainings are among them only if you name `results`.

    Nothing outside the cache is touched. What is deleted is computed or fetched again when it is needed.

    Examples
    --------
    vaescreen cache clean data listings
    vaescreen cache clean latents training --format json
    """
    from vaescreen.errors import CacheError
    from vaescreen.storage import cache_dir

    cache = cache_dir()
    records: list[Deleted] = []
    for kind in dict.fromkeys(kinds):
        folder = cache / kind
        files = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise CacheError(f"cannot delete {folder} ({error.strerror}); mend its permissions") from error
        records.append({"kind": kind.value, "files": len(files), "mb": round(size / 1e6, 1)})
    show(Sheet(("kind", "files deleted", "MB"), cells_of(records), records, records, f"{cache}:"), form)
