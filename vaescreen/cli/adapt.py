"""`vaescreen adapt`: fine-tune a candidate to a data set, register the outcome, and say what it gains."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.autoencoders.adaptation.gain import Gain
    from vaescreen.superres.pass_through import PassThrough

_PANEL = "Training"


class Adapted(TypedDict):
    """What an adaptation gained, in dB."""

    title: str
    gains: list[dict[str, Any]]
    pass_through: list[dict[str, Any]]


@prints(Adapted)
def adapt(
    *,
    candidate: options.Candidate,
    images: options.ImageOptions,
    part: Annotated[
        str,
        typer.Option(
            metavar="PART",
            help="decoder (latents stay as they are) or all.",
            rich_help_panel=_PANEL,
        ),
    ] = "decoder",
    loss: Annotated[str, typer.Option(metavar="LOSS", help="l1 or l2.", rich_help_panel=_PANEL)] = "l2",
    kl_weight: Annotated[
        float,
        typer.Option(
            metavar="W",
            help="Of the posterior's divergence in nats a pixel, with --part all, where there is one.",
            rich_help_panel=_PANEL,
        ),
    ] = 1e-6,
    steps: Annotated[int, typer.Option(metavar="N", help="Optimiser steps.", rich_help_panel=_PANEL)] = 1000,
    batch: Annotated[int, typer.Option(metavar="N", help="Crops a step.", rich_help_panel=_PANEL)] = 8,
    crop: Annotated[
        int, typer.Option(metavar="N", help="Side of the crops in pixels.", rich_help_panel=_PANEL)
    ] = 128,
    learning_rate: Annotated[
        float, typer.Option(metavar="RATE", help="Highest, after the warm-up.", rich_help_panel=_PANEL)
    ] = 1e-4,
    check_every: Annotated[
        int,
        typer.Option(metavar="N", help="Steps between looks at the val split.", rich_help_panel=_PANEL),
    ] = 100,
    size: Annotated[int, typer.Option(metavar="N", help=options.SIZE_HELP)] = 256,
    new_name: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="What to call the outcome.", show_default="CANDIDATE-DATA-PART"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the outcome.", show_default="adapted/NAME"),
    ] = None,
    registry: options.RegistryFile = None,
    results: options.Results = None,
    training_seed: options.Seed = 0,
    device: options.Device = DeviceName.AUTO,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Fine-tune an autoencoder to your images, and register the outcome as a new candidate.

    The train split is trained on; the val split decides which weights are kept, never worse ones than the
    start; the gain is reported on the test split, and as SR PSNR once parent and outcome have reference points:
    train these, then run the same command again. What was interrupted goes on.

    Examples
    --------
    vaescreen adapt generic-f8c4 --data path/to/folder
    vaescreen adapt generic-f8c4 --data path/to/folder --part all --steps 800 --crop 64 --as mine
    """
    from vaescreen.autoencoders.adaptation.gain import ceiling_gain
    from vaescreen.autoencoders.adaptation.plan import Plan
    from vaescreen.autoencoders.adaptation.saving import adapt as fine_tune
    from vaescreen.errors import RegistryError
    from vaescreen.execution import choose_device
    from vaescreen.images import DataOptions
    from vaescreen.images.dataset import IN_WORDS
    from vaescreen.registry.catalogue import Registry, user_file
    from vaescreen.registry.editing import add_entry
    from vaescreen.superres.pass_through import pass_through

    plan = Plan(
        part=part,  # type: ignore[arg-type]  # it checks the words itself
        loss=loss,  # type: ignore[arg-type]
        kl_weight=kl_weight,
        steps=steps,
        batch=batch,
        crop=crop,
        learning_rate=learning_rate,
        check_every=check_every,
        seed=training_seed,
    )
    file = registry or user_file()
    own = registry if registry and registry.is_file() else None
    known = Registry.load(own)
    parent = known.candidate(candidate)
    place = choose_device(device.value)
    with progress() as tell:
        opened = DataOptions(**images).open(size, own, tell.images)
    called = new_name or re.sub(r"[^a-z0-9._-]+", "-", f"{candidate}-{opened.name}-{part}".lower())
    folder = output or Path("adapted") / called
    there = known.candidates.get(called)
    if there is not None and there.parent != candidate:
        raise RegistryError(f"{called!r} is another candidate already; choose another name with --as")
    with progress() as tell:

        def on_step(step: int, loss: float, best: float) -> None:
            if step % max(steps // 20, 1) == 0:
                tell(f"{called}: loss {loss:.5f}, best on val {best:.2f} dB", step, steps)

        child = fine_tune(parent, opened, plan, folder, called, device=place, on_step=on_step)
    if there != child:
        add_entry(file, child)
    ceiling = ceiling_gain(parent, child, opened, place)
    arrived = pass_through(options.results_folder(results), parent, child, opened)
    gains = {"AE ceiling": ceiling} | {f"SR PSNR, recipe {each.recipe}": each.sr for each in arrived}
    show(
        _sheet(
            f"{called} (from {candidate}) on {opened.name} ({IN_WORDS[opened.kind]} images), {size}x{size} px",
            gains,
            arrived,
            file,
        ),
        form,
    )


def _sheet(title: str, gains: "dict[str, Gain]", arrived: "list[PassThrough]", file: Path) -> Sheet:
    from vaescreen.ranking.columns import number

    records = [{"what": what, **asdict(gain), "gain": gain.value} for what, gain in gains.items()]
    notes = [
        f"Recipe {each.recipe}, {each.seeds} seed{'s' * (each.seeds > 1)}: AE ceiling {each.ceiling.value:+.2f} dB, "
        f"SR {each.sr.value:+.2f} dB: {each.percent:.0f} % passed through."
        for each in arrived
    ]
    return Sheet(
        headers=("test split, mean PSNR in dB", "before", "after", "gain", "95 % interval"),
        cells=[
            [
                what,
                number(gain.before),
                number(gain.after),
                number(gain.value, signed=True),
                f"{number(gain.low, signed=True)} to {number(gain.high, signed=True)}",
            ]
            for what, gain in gains.items()
        ],
        records=records,
        payload={
            "title": title,
            "gains": records,
            "pass_through": [
                {"recipe": each.recipe, "seeds": each.seeds, "percent": each.percent} for each in arrived
            ],
        },
        title=title,
        notes=[*notes, f"Registered in {file}."],
    )
