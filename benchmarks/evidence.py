"""Render docs/evidence.md, what the reference points say, from committed results alone.

    python -m benchmarks.evidence [--check]

Predictors by what was left out, from the points inside the shipped predictor; what conditioning does to the order of
autoencoders; floors; the noise of seeds; and how the order moves with the budget and with other choices of the recipe,
from the points of its variants under leaderboards/evidence/recipes. With --check nothing is written, and the exit code
is 1 if the page is not that of the results.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, variance

import numpy as np

from benchmarks import conditioning, convergence
from benchmarks.orders import NAMES, Points, mean, order, read, tau
from vaescreen.predictor.catalogue import OURS, PREDICTOR, PREDICTORS, PUBLISHED
from vaescreen.predictor.files import load, shipped_path
from vaescreen.predictor.points import TARGETS, Point
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.track_record import read_record, summarise
from vaescreen.predictor.validation import predict_held_out, validate
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table
from vaescreen.reports.page.drawing import svg_file
from vaescreen.storage import digest, read_json, write_bytes
from vaescreen.superres.recipes import recipe_named

RECIPE = "compact"
PUBLISHED_RECIPE = "published-conditioning"
TEMPLATE = Path(__file__).with_suffix(".template.md")
CONTROLS = Path("leaderboards/evidence/controls")
PAGE, FIGURE = Path("docs/evidence.md"), Path("docs/convergence.svg")
RESULTS, VARIANTS = Path("leaderboards/results"), Path("leaderboards/evidence/recipes")
LEFT_OUT = {
    "leave-one-candidate-out": "a candidate",
    "leave-one-family-out": "a family",
    "leave-one-geometry-out": "a geometry",
    "leave-one-data-set-out": "a data set",
    "geometry-and-data-set-out": "geometry and data set",
    "published-out": "all published ones",
}
SHOWN = (PUBLISHED, "constant", "probe", OURS)
MEAN = TARGETS[1]
CEILING_RICH = 3.0
"""dB of AE ceiling above bicubic from which the posterior mean shall pass it."""
LOSSLESS = "dct-f4c16"
"""All coefficients of blocks of 4 x 4 pixels: nothing is lost."""


def predictors(points: Sequence[Point]) -> str:
    chosen = {name: PREDICTORS[name] for name in SHOWN}
    rows = []
    for target in TARGETS:
        schemes = validate(points, target, predictors=chosen).schemes
        for scheme, words in LEFT_OUT.items():
            for name, scores in schemes.get(scheme, {}).items():
                values = (scores.q2, scores.mae, scores.tau, scores.regret, scores.coverage)
                rows.append([NAMES[target], words, name, *map(number, values)])
    return table(
        ("target", "left out", "predictor", "Q²", "MAE, dB", "tau", "regret, dB", "coverage"),
        rows,
        text_columns=3,
    )


def foretold() -> Iterator[str]:
    """Predictions made before a training, by the predictor as it then was, beside what was reached."""
    entries = read_record(RESULTS, RECIPE)
    rows = [
        [
            NAMES[track.target],
            str(track.predictions),
            number(track.mae),
            number(track.published_mae),
            number(track.bias, signed=True),
            number(track.tau),
            number(track.published_tau),
            f"{track.hits} of {track.bounded}",
        ]
        for track in summarise(entries)
    ]
    yield table(
        (
            "target",
            "predictions",
            "MAE",
            "of the published rule",
            "bias",
            "tau",
            "of the published rule",
            "inside 90 %",
        ),
        rows,
    )
    names = ", ".join(sorted({entry["candidate"] for entry in entries}))
    unseen = sum(not entry["prediction"]["candidate_seen"] for entry in entries)
    yield (
        f"Trained: {names}. In {unseen} of the {len(entries)} no point of the candidate, on any data, was known when "
        "the prediction was made; the data sets were."
    )


def floors(points: Points) -> Iterator[str]:
    """Whether what was trained is worth its training: against interpolation, against nothing learnt, against no VAE."""
    rows = []
    for data, candidates in sorted(points.items()):
        summaries = {name: seeds[0] for name, seeds in candidates.items()}
        bicubic = next(iter(summaries.values()))["bicubic_psnr"]
        reached = {name: mean(seeds, MEAN) for name, seeds in candidates.items()}
        rich = [name for name, each in summaries.items() if each["ae_ceiling"] >= bicubic + CEILING_RICH]
        below = [name for name in rich if reached[name] <= bicubic]
        unlearnt = [name for name, each in summaries.items() if reached[name] <= each["upsampled_psnr"]]
        least = min(rich, key=lambda name: reached[name])
        rows.append(
            [
                data,
                number(bicubic),
                f"{len(rich) - len(below)} of {len(rich)}" + f" (not {', '.join(below)})" * bool(below),
                f"{least} {number(reached[least] - bicubic, signed=True)}",
                f"{len(summaries) - len(unlearnt)} of {len(summaries)}"
                + f" (not {', '.join(unlearnt)})" * bool(unlearnt),
                number(regression_in_pixels(data)),
                number(lossless(data)),
                number(max(reached.values())),
            ]
        )
    yield table(
        (
            "data set",
            "bicubic, dB",
            f"ceiling {CEILING_RICH:g} dB above bicubic: pass it",
            "least of them, dB above bicubic",
            "pass decode(encode(upsampled))",
            "regression in pixels, dB",
            f"lossless {LOSSLESS}, dB",
            "best, dB",
        ),
        rows,
    )


def lossless(data: str) -> float | None:
    """PSNR of the posterior mean in the lossless latent, a control that no predictor is fitted to."""
    path = CONTROLS / RECIPE / data / f"{LOSSLESS}-seed0.json"
    return float(read_json(path)["summary"][MEAN]) if path.is_file() else None


def regression_in_pixels(data: str) -> float | None:
    """PSNR of the recipe's network trained to regress pixels, if it was."""
    name = f"regression-pixels-{RECIPE}-seed0.json"
    found = list((RESULTS / "baselines").glob(f"*/{data}/{name}"))
    return float(read_json(found[0])["summary"]["sr_psnr"]) if found else None


def seeds(recipes: Mapping[str, Points]) -> str:
    """Standard deviation between seeds of candidates trained with several, pooled over them; then tau of two orders."""
    rows = []
    for recipe, points in recipes.items():
        for data, candidates in sorted(points.items()):
            several = {name: each for name, each in candidates.items() if len(each) > 1}
            if not several:
                continue
            first, second = ({name: [each[seed]] for name, each in several.items()} for seed in (0, 1))
            for target in TARGETS:
                known = [each for each in several.values() if all(target in seed for seed in each)]
                if known:
                    spread = fmean(variance([seed[target] for seed in each]) for each in known) ** 0.5
                    agreed = tau(order({data: first}, data, target), order({data: second}, data, target))
                    counts = (str(len(known)), str(sum(map(len, known))))
                    rows.append([recipe, data, NAMES[target], *counts, number(spread, 3), number(agreed)])
    return table(
        ("recipe", "data set", "output", "candidates", "trainings", "SD, dB", "tau of the first two seeds"),
        rows,
        text_columns=3,
    )


def robustness(points: Points, variants: Mapping[str, Points], shipped: Sequence[Point]) -> Iterator[str]:
    """Orders of other recipes against that of ours, and against what was foretold for ours without the candidate."""
    foretold = held_out(shipped)
    rows = []
    for name, each in sorted(variants.items()):
        for data in sorted(each):
            for target in TARGETS:
                theirs = order(each, data, target)
                against = tau(order(points, data, target), theirs)
                if against is not None:
                    predicted = tau(foretold[target][data], theirs)
                    count = len(theirs.keys() & points[data].keys())
                    rows.append([name, data, NAMES[target], str(count), number(against), number(predicted)])
    if rows:
        yield table(
            (
                "recipe",
                "data set",
                "target",
                "candidates",
                "tau with compact's order",
                "tau with what is predicted",
            ),
            rows,
            text_columns=3,
        )


def held_out(points: Sequence[Point]) -> dict[str, dict[str, dict[str, float]]]:
    """Predictions of our predictor by target, data set and candidate, each candidate left out."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for target in TARGETS:
        sample = Sample.of(points, target)
        values = predict_held_out(PREDICTOR, sample, np.array([point.candidate for point in points])).value
        found[target] = defaultdict(dict)
        for point, value in zip(points, values, strict=True):
            found[target][point.data][point.candidate] = float(value)
    return found


def page() -> tuple[str, bytes]:
    """Text of the page, and the figure on it."""
    shipped = load(shipped_path(RECIPE)).points
    points, variants = read(RESULTS)[RECIPE], read(VARIANTS)
    candidates = {point.candidate: point.is_ours for point in shipped}
    budget = recipe_named(RECIPE).samples or 0
    by_budget = convergence.budgets(RECIPE, budget, points, variants)
    curves = convergence.curves(by_budget)
    key = digest("convergence", curves)
    shown = f"![Posterior mean by training samples]({FIGURE.name})\n<!-- {key} -->"
    filled = TEMPLATE.read_text(encoding="utf-8").format(
        count=len(shipped),
        candidates=len(candidates),
        ours=sum(candidates.values()),
        published=len(candidates) - sum(candidates.values()),
        data=", ".join(sorted({point.data for point in shipped})),
        predictors=predictors(shipped),
        foretold="\n\n".join(foretold()),
        conditioning="\n\n".join(
            conditioning.tables({PUBLISHED_RECIPE: variants[PUBLISHED_RECIPE], RECIPE: points})
        ),
        floors="\n".join(floors(points)),
        seeds=seeds({RECIPE: points, **dict(sorted(variants.items()))}),
        budgets="\n\n".join(
            [
                shown,
                *convergence.tables(curves, by_budget, budget),
                *convergence.headroom(curves, by_budget, budget),
            ]
        ),
        robustness="\n\n".join(robustness(points, variants, shipped)),
    )
    figure = svg_file(lambda canvas: convergence.draw(curves, canvas), key)
    return f"<!-- Rendered by `python -m benchmarks.evidence`; edits are overwritten. -->\n\n{filled}", figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is stale")
    options = parser.parse_args()
    made, figure = page()
    if not options.check:
        write_bytes(PAGE, made.encode())
        write_bytes(FIGURE, figure)
    elif PAGE.read_text(encoding="utf-8") != made or FIGURE.read_bytes() != figure:
        sys.exit(f"{PAGE} is stale; run `python -m benchmarks.evidence`")


if __name__ == "__main__":
    main()
