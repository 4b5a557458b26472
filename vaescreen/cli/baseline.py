"""`vaescreen reference baseline`: what super-resolution reaches without diffusion in latents, on the same images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.images import DataSet
    from vaescreen.registry.candidate import Candidate
    from vaescreen.superres.recipe import Recipe

_LINES = 10


@prints(list[dict[str, Any]])
def baseline(
    *,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE",
            help="nearest, bicubic, lanczos, regression, or the weights of a published network (extra: spandrel).",
        ),
    ],
    images: options.ImageOptions,
    recipe: options.Recipe = "compact",
    latents_of: Annotated[
        str | None,
        typer.Option(
            metavar="CANDIDATE", help="Regress in the latents of a candidate.", show_default="in pixels"
        ),
    ] = None,
    registry: options.RegistryFile = None,
    results: options.Results = None,
    training_seed: options.Seed = 0,
    device: options.Device = DeviceName.AUTO,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Score baselines on the test images of a recipe: interpolation, direct regression, published networks.

    Size and degradation are those of the recipe; regression has its network and budget too. What is there
    already is not made again. Where a baseline beats the latent models, a model in latents is not what you need.

    Examples
    --------
    vaescreen reference baseline nearest bicubic lanczos --data path/to/folder
    vaescreen reference baseline regression --data path/to/folder --latents-of medical-f4c3
    vaescreen reference baseline swinir_x4.safetensors --data path/to/folder
    """
    from vaescreen.execution import choose_device
    from vaescreen.images import DataOptions
    from vaescreen.registry.catalogue import Registry
    from vaescreen.superres.recipes import recipe_named

    chosen = recipe_named(recipe)
    candidate = Registry.load(registry).candidate(latents_of) if latents_of else None
    folder = options.results_folder(results)
    place = choose_device(device.value)
    with progress() as tell:
        opened = DataOptions(**images).open(chosen.size, registry, tell.images)
    records = [
        _result(each, opened, chosen, folder, candidate, training_seed, place)
        for each in dict.fromkeys(names)
    ]
    show(_sheet(records, chosen), form)


def _result(
    name: str,
    data: "DataSet",
    recipe: "Recipe",
    results: Path,
    candidate: "Candidate | None",
    seed: int,
    device: str,
) -> dict[str, Any]:
    from vaescreen.superres.baselines.measuring import measure
    from vaescreen.superres.baselines.regression import regress

    if name != "regression":
        return measure(name, data, recipe, results, device)
    told: set[int] = set()

    def tell(step: int, steps: int) -> None:
        if step * _LINES // steps not in told:
            told.add(step * _LINES // steps)
            complain(f"regression on {data.name}: train {step}/{steps}")

    return regress(data, recipe, results, candidate=candidate, seed=seed, device=device, on_step=tell)


def _sheet(records: list[dict[str, Any]], recipe: "Recipe") -> Sheet:
    from vaescreen.images.dataset import IN_WORDS
    from vaescreen.ranking.columns import number

    first = records[0]
    flat = [
        {"baseline": record["baseline"]["name"], "kind": record["baseline"]["kind"], **record["summary"]}
        for record in records
    ]
    return Sheet(
        headers=("baseline", "kind", "SR PSNR", "foreground", "SSIM"),
        cells=[
            [
                row["baseline"],
                row["kind"],
                number(row["sr_psnr"]),
                number(row["sr_psnr_foreground"]),
                number(row["sr_ssim"], 3),
            ]
            for row in flat
        ],
        records=flat,
        payload=records,
        title=(
            f"{first['data']['name']}: {first['counts']['test_images']} {IN_WORDS[first['data']['kind']]} test images, "
            f"{recipe.size}x{recipe.size} px, {recipe.degradation}"
        ),
        text_columns=2,
    )
