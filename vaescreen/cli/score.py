"""`vaescreen score`: screening alone, at any size and degradation."""

from typing import TYPE_CHECKING, Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.cli.progress import candidates_bar

if TYPE_CHECKING:
    from vaescreen.screening.campaign import Screening
    from vaescreen.screening.view import View

_COLUMNS = {
    "AE ceiling": ("psnr", 2),
    "foreground": ("psnr_foreground", 2),
    "SSIM": ("ssim", 3),
    "MS-SSIM": ("ms_ssim", 3),
    "ridge probe": ("ridge_probe_psnr", 2),
    "conv probe": ("conv_probe_psnr", 2),
    "bicubic": ("bicubic_psnr", 2),
    "ms encode": ("encode_ms", 1),
    "ms decode": ("decode_ms", 1),
}
_PANEL = "Size and degradation"


def score(
    candidates: options.Candidates,
    data: options.Data,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="RECIPE",
            help="Take size, scale and kernel from a recipe instead.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    size: Annotated[
        int, typer.Option(metavar="N", help="Side of the HR images in pixels.", rich_help_panel=_PANEL)
    ] = 256,
    scale: Annotated[
        int, typer.Option(metavar="N", help="HR pixels to an LR pixel: 2, 4 or 8.", rich_help_panel=_PANEL)
    ] = 4,
    kernel: Annotated[
        str,
        typer.Option(metavar="KERNEL", help="lanczos, bicubic, area or kspace.", rich_help_panel=_PANEL),
    ] = "lanczos",
    registry: options.RegistryFile = None,
    patients: options.Patients = None,
    name: options.Name = None,
    train_images: options.TrainImages = None,
    test_images: options.TestImages = None,
    results: options.CachedResults = None,
    processes: options.Processes = None,
    engine: options.Engine = "local",
    gpu_share: options.GpuShare = 1.0,
    device: options.Device = DeviceName.AUTO,
    seed: options.Seed = 0,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Measure candidates: what they lose, and how well HR latents follow from LR latents.

    A candidate that fails is named below the table; the exit code is 1 only if none could be measured.
    """
    from vaescreen.errors import CandidateError
    from vaescreen.execution import choose_device, engine_named
    from vaescreen.images import open_data
    from vaescreen.registry import Registry
    from vaescreen.screening.campaign import screen
    from vaescreen.storage import cache_dir, ensure_writable

    view = _view(recipe, size, scale, kernel)
    known = Registry.load(registry)
    chosen = [known.candidate(candidate) for candidate in dict.fromkeys(candidates)]
    folder = results or cache_dir() / "results"
    ensure_writable(folder)
    where = engine_named(engine, gpu_share)
    place = choose_device(device.value, where)
    with candidates_bar() as on_progress:
        images = open_data(
            data,
            size=view.size,
            patient_pattern=patients,
            seed=seed,
            train_images=train_images,
            test_images=test_images,
            name=name,
        )
        screening = screen(
            chosen,
            images,
            view,
            results=folder,
            processes=processes,
            engine=where,
            seed=seed,
            device=place,
            on_progress=on_progress,
        )
    if not screening.cards:
        raise CandidateError("; ".join(screening.failed.values()))
    show(_sheet(screening, view), form)


def _view(recipe: str | None, size: int, scale: int, kernel: str) -> "View":
    from vaescreen.images.degradation import Degradation
    from vaescreen.screening.view import View
    from vaescreen.superres.recipes import recipe_named

    if recipe is None:
        return View(size, Degradation(kernel, scale))  # type: ignore[arg-type]  # it checks the name itself
    chosen = recipe_named(recipe)
    return View(chosen.size, chosen.degradation)


def _sheet(screening: "Screening", view: "View") -> Sheet:
    from vaescreen.leaderboard.columns import number

    cards = screening.cards
    counts = cards[0].counts
    return Sheet(
        headers=("candidate", "geometry", *_COLUMNS),
        cells=[
            [
                card.candidate,
                str(card.geometry),
                *(number(card.summary.get(key), digits) for key, digits in _COLUMNS.values()),
            ]
            for card in cards
        ],
        records=[{"candidate": card.candidate, **card.geometry._asdict(), **card.summary} for card in cards],
        payload={"cards": [card.to_json() for card in cards], "failed": screening.failed},
        title=(
            f"{cards[0].data['name']}: {counts['test_images']} test images, {view.size}x{view.size} px, "
            f"{view.degradation.kernel} x{view.degradation.scale}"
        ),
        notes=[f"Failed: {reason}" for reason in screening.failed.values()],
        text_columns=2,
    )
