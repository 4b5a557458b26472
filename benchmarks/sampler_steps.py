"""Steps against PSNR: DDIM with strides that end at zero noise, and the truncated walk of published code.

python benchmarks/sampler_steps.py --data ../shared/data/chest --candidate medical-f4c4 --images 16

Trains the candidate by the recipe, or takes weights that were kept, and scores the first test images. The truncated
walk visits the first T of all 1000 levels and returns its estimate of x0: few of its steps end near the posterior
mean, which is why they seem better; all 1000 are the full walk.
"""

import argparse
from pathlib import Path
from typing import Any

from vaescreen.autoencoders import open_autoencoder
from vaescreen.environment import command_line, environment
from vaescreen.images import open_data
from vaescreen.registry.registry import Registry
from vaescreen.reports.page.drawing import ACCENT, SECOND, THIRD, Canvas, svg_file
from vaescreen.storage import cache_dir, digest, write_bytes, write_json
from vaescreen.superres.evaluation import evaluate
from vaescreen.superres.finished import Wanted, training_key, weights_path
from vaescreen.superres.kept import recall
from vaescreen.superres.latents import training_pairs
from vaescreen.superres.recipes import recipe_named
from vaescreen.superres.reference import make_reference
from vaescreen.superres.scaling import Scale
from vaescreen.superres.variants import vary

STEPS = (1, 2, 5, 10, 20, 50, 100, 250, 1000)
NAMES = {
    "ddim": "DDIM, strided to zero noise",
    "truncated": "first T of 1000 levels, then x0 (published code)",
}
LEVELS = ("ae_ceiling", "bicubic_psnr", "posterior_mean_psnr")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Mean PSNR for each sampler and number of steps, and the levels that they lie between."""
    recipe = recipe_named(arguments.recipe)
    data = open_data(arguments.data, size=recipe.size, test_images=arguments.images)
    candidate = Registry.load().candidate(arguments.candidate)
    folder = cache_dir() / "results"
    wanted = Wanted(weights=True)
    point = make_reference(candidate, data, recipe, folder, device=arguments.device, wanted=wanted)
    key = training_key(point["fingerprint"], data, recipe, 0)
    trained = recall(weights_path(key), arguments.device)
    assert trained is not None
    autoencoder = open_autoencoder(candidate, data, arguments.device)
    scale = Scale.of(recipe, training_pairs(autoencoder, data, recipe)).to(arguments.device)
    rows = []
    for sampler in NAMES:
        for steps in STEPS:
            variant = vary(recipe, sampler=sampler, sampler_steps=steps)
            table = evaluate(variant, trained, autoencoder, data, scale)
            rows.append({"sampler": sampler, "steps": steps, "sr_psnr": float(table["sr_psnr"].mean())})
            print(rows[-1], flush=True)
    levels = {name: float(table[name].mean()) for name in LEVELS}
    return {
        "candidate": candidate.name,
        "data": {"name": data.name, "fingerprint": data.fingerprint, "test_images": len(data.ids("test"))},
        "recipe": recipe.name,
        "samples": trained.steps * recipe.batch,
        "levels": levels,
        "rows": rows,
        "environment": environment(arguments.device),
        "command": command_line(),
    }


def draw(result: dict[str, Any]) -> bytes:
    """Both curves over the number of steps, as SVG."""
    import altair as alt

    levels = result["levels"]
    title = [
        f"{result['candidate']} on {result['data']['name']}, recipe {result['recipe']}, "
        f"{result['data']['test_images']} test images",
        f"(bicubic {levels['bicubic_psnr']:.2f} dB, AE ceiling {levels['ae_ceiling']:.2f} dB)",
    ]

    def chart(canvas: Canvas) -> alt.LayerChart:
        rows = [row | {"name": NAMES[row["sampler"]]} for row in result["rows"]]
        mean = canvas.data([{"psnr": levels["posterior_mean_psnr"], "what": "one-step output"}])
        rule = alt.Chart(mean).encode(y="psnr:Q")
        x = alt.X("steps:Q", title="steps").scale(type="log").axis(values=list(STEPS))
        y = alt.Y("sr_psnr:Q", title="SR PSNR against the true image (dB)").scale(zero=False)
        names = list(NAMES.values())
        colour = (
            alt.Color("name:N", title=None).scale(domain=names, range=[ACCENT, THIRD]).legend(orient="bottom")
        )
        base = alt.Chart(canvas.data(rows)).encode(x=x, y=y, color=colour)
        made: alt.LayerChart = (
            base.mark_line()
            + base.mark_point(filled=True, opacity=1).encode(shape=alt.Shape("name:N", title=None))
            + rule.mark_rule(strokeDash=[4, 3], color=SECOND)
            + rule.mark_text(align="left", dy=-7, color=SECOND).encode(x=alt.value(6), text="what:N")
        ).properties(width=canvas.width - 80, height=300, title=title)
        return made

    return svg_file(chart, digest(result["rows"], result["levels"]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--candidate", default="medical-f4c4")
    parser.add_argument("--recipe", default="compact")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sampler_steps.json"))
    parser.add_argument("--figure", type=Path, default=Path("leaderboards/figures/compact-steps.svg"))
    arguments = parser.parse_args()
    result = measure(arguments)
    write_json(arguments.out, result)
    write_bytes(arguments.figure, draw(result))


if __name__ == "__main__":
    main()
