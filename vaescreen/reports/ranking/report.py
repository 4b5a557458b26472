"""From a ranking to its page: a pure function of the result, of its per-image scores, and of the images."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vaescreen.environment import command_line
from vaescreen.errors import ResultError
from vaescreen.execution import HERE, Machine
from vaescreen.images import DataOptions, OnImages
from vaescreen.images.scanning import ignore
from vaescreen.predictor.catalogue import OURS, PREDICTORS
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.validation import predict_held_out
from vaescreen.ranking.columns import ABSENT, COLUMNS, number
from vaescreen.ranking.rank import Ranking
from vaescreen.ranking.table import TARGET_NAMES, Row
from vaescreen.ranking.verdict import value_of
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Figure, figure
from vaescreen.reports.page.framework import render
from vaescreen.reports.page.pictures import data_uri
from vaescreen.reports.ranking import charts
from vaescreen.reports.ranking.examples import Examples, choose, reconstruct
from vaescreen.screening.cards import card_path
from vaescreen.storage import cache_dir, write_bytes
from vaescreen.superres.recipes import recipe_named

_MOST_PICTURES = 5_000_000
"""Bytes of pictures on a page; candidates are shown from the best on until they are reached."""


def write_report(
    ranking: Ranking,
    data: str | Path | DataOptions,
    path: Path,
    *,
    registry: Path | None = None,
    results: Path | None = None,
    machine: Machine = HERE,
    on_images: OnImages = ignore,
) -> None:
    """Write a ranking as one HTML file; of private data it shows no picture.

    Parameters
    ----------
    ranking
        What `vaescreen.rank` gave.
    data, registry, results, machine
        As they were given to `vaescreen.rank`.
    path
        File to write.
    on_images
        Told how many candidates have reconstructed the images that are shown.

    Raises
    ------
    VaescreenError
        In one line: data or a registry that can no longer be used, or a file that cannot be written.
    """
    recipe, folder = recipe_named(ranking.recipe), results or cache_dir() / "results"
    images = DataOptions.of(data).open(recipe.size, registry, on_images)
    tables = {
        card["candidate"]: pd.read_parquet(
            card_path(folder, images.name, card["candidate"]).with_suffix(".parquet")
        )
        for card in ranking.cards
    }
    ranked = [entry.row.candidate for entry in charts.entries(ranking.rows)]
    examples = reconstruct(
        choose(tables, ranked),
        ranked,
        images,
        recipe.view.degradation,
        registry=registry,
        device=machine.device,
        on_images=on_images,
    )
    command = command_line(private=images.private)
    write_bytes(path, page(ranking, examples, command=command, private=images.private))


def page(ranking: Ranking, examples: Examples, *, command: str, private: bool) -> bytes:
    """Lay out a ranking as HTML.

    Parameters
    ----------
    ranking
        What is shown.
    examples
        Images, and what candidates make of them.
    command
        What made the ranking.
    private
        Whether no picture may be shown.
    """
    name, rows = ranking.cards[0]["data"]["name"], ranking.rows
    pictures, left_out = ({}, 0) if private else _pictures(examples, rows)
    return render(
        "ranking.html",
        title=name,
        subtitle=ranking.title.removeprefix(f"{name}: "),
        verdict=ranking.verdict.told,
        numbers=_numbers(rows, ranking.by),
        doubts=_doubts(ranking, examples),
        can_draw=drawing.can_draw(),
        needed=drawing.NEEDED,
        figures=_figures(ranking, examples),
        pictures=pictures,
        private=private,
        without_pictures=left_out,
        table=_table(rows),
        provenance=_provenance(ranking, command),
        result=ranking.as_json(),
    )


def _numbers(rows: Sequence[Row], by: str) -> list[dict[str, str]]:
    """What to choose, how sure that is, and what the smallest of those that share the first rank costs."""
    ranked = [entry.row for entry in charts.entries(rows)]
    best, tied = ranked[0], [row for row in ranked if row.rank == ranked[0].rank]
    (value, interval), what = value_of(best, by), TARGET_NAMES[by]
    half = f" ± {number((interval[1] - interval[0]) / 2)}" if interval else ""
    reached = f"predicted {what} {number(value)}{half} dB"
    if value is None:
        reached = f"probe PSNR {number(best.probe_psnr)} dB"
    shared = "shared by no other candidate" if len(tied) == 1 else f"shared by {len(tied)} candidates"
    smallest = min(tied, key=lambda row: row.latent_values or 0)
    cost = "it is the first itself"
    if smallest is not best:
        apart = _quality(best, by) - _quality(smallest, by)
        cost = f"{number(abs(apart))} dB {'below' if apart >= 0 else 'above'} the first"
    return [
        {
            "what": "ranked first",
            "value": best.candidate,
            "more": reached,
        },
        {
            "what": "how sure",
            "value": f"{100 * best.p_best:.0f} %" if best.p_best is not None else f"1 of {len(tied)}",
            "more": f"{'probability of being best; ' if best.p_best is not None else ''}rank 1 is {shared}",
        },
        {
            "what": "smallest of the tied",
            "value": smallest.candidate,
            "more": f"{smallest.latent_values or ABSENT} latent values; {cost}",
        },
    ]


def _quality(row: Row, by: str) -> float:
    value, _ = value_of(row, by)
    return value if value is not None else row.probe_psnr or 0.0


def _doubts(ranking: Ranking, examples: Examples) -> list[str]:
    failed = {each.candidate: each.reason for each in ranking.failed} | examples.failed
    return [
        *filter(None, [ranking.doubt]),
        *ranking.warnings,
        *(f"{name} could not be scored or shown: {reason}" for name, reason in failed.items()),
        *(
            [f"{len(ranking.skipped)} files were skipped; they are named at the end"]
            if ranking.skipped
            else []
        ),
    ]


def _figures(ranking: Ranking, examples: Examples) -> dict[str, Figure]:
    rows, summaries = ranking.rows, {card["candidate"]: card["summary"] for card in ranking.cards}
    found = examples.spectra()
    figures = [
        figure(
            "forest",
            "What to expect of each candidate",
            "A line a candidate, best first: the prediction and its 90 % interval. Candidates on one band share a "
            "rank, since they cannot be told apart. Dashed: bicubic upsampling, which needs no autoencoder, and the "
            "detail of the true image.",
            lambda canvas: charts.forest(rows, canvas),
        )
    ]
    if charts.has_latent_sizes(rows):
        figures.append(
            figure(
                "latent-size",
                "Quality against latent size",
                "Fewer latent values make a diffusion model cheaper to train and to run. On the stepped line are the "
                "candidates that none of their size or smaller is predicted to beat.",
                lambda canvas: charts.latent_size(rows, canvas),
            )
        )
    figures.append(
        figure(
            "spectrum",
            "Which spatial frequencies are lost",
            f"Power of each reconstruction's error over that of the image itself, mean of {len(examples.chosen)} test "
            "images; at 0 dB nothing is left of that frequency. Dashed: bicubic upsampling.",
            lambda canvas: charts.spectra(rows, found, canvas),
        )
    )
    if charts.has_bands(summaries):
        figures.append(
            figure(
                "bands",
                "Where in scale the error lies",
                "PSNR of each Haar band of the reconstructions of all test images: from the coarse image (LL3) to the "
                "finest detail (level 1). Higher is better.",
                lambda canvas: charts.bands(rows, summaries, canvas),
            )
        )
    held = _held(ranking.predictor) if ranking.predictor and drawing.can_draw() else []
    if held:
        figures.append(
            figure(
                "measured",
                "How far the predictions can be trusted",
                f"Each of {len(held)} reference points that were trained and measured, and what is predicted for it "
                "from the points of all other candidates, with the 90 % interval. On the line, both are equal.",
                lambda canvas: charts.measured(held, rows, canvas),
            )
        )
    return {each.name: each for each in figures}


def _held(predictor: FittedPredictor) -> list[charts.Held]:
    """Reference points of a predictor, each predicted without its candidate; none if they are too few for that."""
    sample = Sample.of(predictor.points, "sr_psnr")
    try:
        made = predict_held_out(PREDICTORS[OURS], sample, sample.candidates)
    except ResultError:
        return []
    return [
        charts.Held(
            point.candidate, point.data, float(sample.target[place]), *(float(each[place]) for each in made)
        )
        for place, point in enumerate(predictor.points)
    ]


def _pictures(examples: Examples, rows: Sequence[Row]) -> tuple[dict[str, Any], int]:
    """Pictures as the page's script takes them, and how many candidates have none for lack of room."""
    found: dict[str, Any] = {
        "images": [
            {
                "id": each.image_id,
                "why": each.why,
                "hr": data_uri(hr[0].numpy()),
                "lr": data_uri(lr[0].numpy()),
            }
            for each, hr, lr in zip(examples.chosen, examples.hr, examples.lr, strict=True)
        ],
        "made": {},
    }
    keys = {entry.row.candidate: entry.key for entry in charts.entries(rows)}
    room = _MOST_PICTURES
    for name, made in examples.made.items():
        uris = [data_uri(each[0].numpy()) for each in made]
        room -= sum(map(len, uris))
        if room < 0:
            break
        psnrs = [round(value, 2) for value in examples.psnr(name)]
        found["made"][name] = {"key": keys.get(name), "images": uris, "psnr": psnrs}
    return found, len(examples.made) - len(found["made"])


def _table(rows: Sequence[Row]) -> dict[str, Any]:
    """Every column that says something, and what rows are filtered by."""
    texts = {name: [text(row) for row in rows] for name, text in COLUMNS.items()}
    filled = {name: cells for name, cells in texts.items() if set(cells) != {ABSENT}}
    keys = {entry.row.candidate: entry.key for entry in charts.entries(rows)}
    cells = list(zip(*filled.values(), strict=True))
    return {
        "columns": list(filled),
        "rows": [
            {
                "key": keys.get(row.candidate, f"floor-{row.candidate}"),
                "candidate": row.candidate,
                "ranked": row.candidate in keys,
                "floor": row.floor,
                "domain": row.domain or "",
                "factor": str(row.geometry.factor) if row.geometry else "",
                "cells": texts,
            }
            for row, texts in zip(rows, cells, strict=True)
        ],
        "domains": _distinct(row.domain for row in rows),
        "factors": sorted(_distinct(str(row.geometry.factor) for row in rows if row.geometry), key=int),
    }


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def _provenance(ranking: Ranking, command: str) -> dict[str, Any]:
    card, predictor = ranking.cards[0], ranking.predictor
    environments: dict[str, list[str]] = {}
    for each in ranking.cards:
        text = ", ".join(f"{key} {value}" for key, value in each["environment"].items())
        environments.setdefault(text, []).append(each["candidate"])
    facts: Mapping[str, str] = {
        "Command": command,
        "Recipe": f"{ranking.recipe}, ranked by {TARGET_NAMES[ranking.by]}",
        "Data": f"{card['data']['name']}, fingerprint {card['data']['fingerprint']}",
        "Images": f"{card['counts']['test_images']} test images of {card['counts']['test_patients']} patients; "
        f"probes fitted on {card['counts']['train_images']} train images",
        "Protocol": card["protocol"],
        "Predictor": (
            f"{len(predictor.points)} reference points on "
            f"{', '.join(dict.fromkeys(point.data for point in predictor.points))}"
            if predictor
            else "none for this recipe: ranked by probe PSNR"
        ),
    }
    return {
        "facts": facts,
        "environments": {text: len(names) for text, names in environments.items()},
        "missing": [each.candidate for each in ranking.missing],
        "skipped": [f"{each.path}: {each.reason}" for each in ranking.skipped],
    }
