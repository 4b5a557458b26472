"""A ranking of simulated score cards, with images made of waves; its page is rendered once."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from simulated import CANDIDATES, write_simulated

from vaescreen.predictor.fitted import fit
from vaescreen.predictor.points import TARGETS, load_points
from vaescreen.ranking.rank import Failed, Ranking
from vaescreen.ranking.table import FLOOR, build_rows
from vaescreen.ranking.verdict import verdict_of
from vaescreen.reports.ranking.examples import Chosen, Examples
from vaescreen.reports.ranking.report import page

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
SIDE = 64


def ranking_of(folder: Path, copies: int = 1, **changes: Any) -> Ranking:
    """Rank the simulated cards of `chest`, each `copies` times under names of their own."""
    points = load_points(folder, "compact")
    predictor = fit(points, "compact")
    cards = []
    for copy in range(copies):
        for name in sorted(CANDIDATES):
            card = json.loads((folder / "scores" / "chest" / f"{name}.json").read_text())
            cards.append(card | {"candidate": f"{name}-{copy}" if copy else name})
    forecast = {
        target: {card["candidate"]: predictor.predict(card, target) for card in cards} for target in TARGETS
    }
    chances = predictor.probability_of_best(cards, "sr_psnr")
    rows = build_rows(
        cards,
        forecast=forecast,
        p_best={card["candidate"]: float(each) for card, each in zip(cards, chances, strict=True)},
        indistinguishable=predictor.indistinguishable(cards, "sr_psnr"),
    )
    verdict = verdict_of(rows, "sr_psnr")
    made = Ranking(tuple(rows), tuple(cards), "compact", "sr_psnr", (), (), (), (), verdict, None, predictor)
    return replace(made, **changes)


def examples_of(ranking: Ranking) -> Examples:
    """Six images of waves, and candidates that blur or shift them by their place."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    waves = [0.5 + 0.3 * np.sin(rows / (3 + n)) * np.cos(columns / (4 + n)) for n in range(6)]
    hr = torch.tensor(np.stack(waves)[:, None], dtype=torch.float32)
    lr = hr[:, :, ::4, ::4]
    made = {FLOOR: lr.repeat_interleave(4, 2).repeat_interleave(4, 3)}
    names = [row.candidate for row in ranking.rows if not row.floor]
    made |= {
        name: (hr + 0.002 * (place + 1) * torch.cos(40 * hr)).clamp(0, 1) for place, name in enumerate(names)
    }
    return Examples([Chosen(f"image-{n}", "tells candidates apart") for n in range(6)], hr, lr, made)


def rename(ranking: Ranking, old: str, new: str) -> Ranking:
    """Call a candidate something else everywhere."""
    return replace(
        ranking,
        rows=tuple(replace(row, candidate=new) if row.candidate == old else row for row in ranking.rows),
        cards=tuple(
            card | {"candidate": new} if card["candidate"] == old else card for card in ranking.cards
        ),
    )


@pytest.fixture(scope="session")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> Ranking:
    """Five simulated candidates on `chest`."""
    return ranking_of(write_simulated(tmp_path_factory.mktemp("simulated") / "results").folder)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the page of a ranking and give its path."""
    folder = tmp_path_factory.mktemp("pages")

    def write(
        ranking: Ranking, *, private: bool = False, command: str = "vaescreen rank", **changes: Any
    ) -> Path:
        examples = examples_of(ranking)
        for name, value in changes.items():
            setattr(examples, name, value)
        path = folder / f"{len(list(folder.iterdir()))}.html"
        path.write_bytes(page(ranking, examples, command=command, private=private))
        return path

    return write


@pytest.fixture(scope="session")
def report(ranking: Ranking, written: Callable[..., Path]) -> Path:
    """The page of `ranking`."""
    pytest.importorskip("altair", reason="charts need the extra `report`")
    return written(ranking)


@pytest.fixture(scope="session")
def hostile(ranking: Ranking, written: Callable[..., Path]) -> Path:
    """A page on which every text from outside tries to run a script."""
    first = ranking.rows[0].candidate
    spoilt = rename(ranking, first, HOSTILE)
    spoilt = replace(spoilt, warnings=(HOSTILE,), doubt=HOSTILE, failed=(Failed(HOSTILE, HOSTILE),))
    chosen = [Chosen(HOSTILE, HOSTILE) for _ in range(6)]
    return written(spoilt, command=HOSTILE, chosen=chosen, failed={HOSTILE: HOSTILE})


@pytest.fixture(scope="session")
def examples(ranking: Ranking) -> Examples:
    """What `report` shows."""
    return examples_of(ranking)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory, written: Callable[..., Path]) -> Path:
    """The page of two hundred candidates."""
    folder = write_simulated(tmp_path_factory.mktemp("many") / "results").folder
    return written(ranking_of(folder, copies=40))
