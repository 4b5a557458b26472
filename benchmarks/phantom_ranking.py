"""Whether generated phantoms rank autoencoders as the real images do that they imitate.

python benchmarks/phantom_ranking.py --output benchmarks/results/phantom_ranking.json

Kendall's tau of all candidates with score cards of both sets, the deliberately deceiving control left out: by AE
ceiling, by the probes and by predicted SR PSNR. Beside each pair stands what other real images would tell: phantoms are
worth their code only if they rank candidates for chest X-rays at least as well as photographs do.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau

from vaescreen.predictor.files import load, shipped_path
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table
from vaescreen.storage import read_json, write_json

PAIRS = (
    ("chest", "chest-phantom"),
    ("chest", "brain"),
    ("chest", "natural"),
    ("brain", "brain-phantom"),
    ("brain", "chest"),
    ("brain", "natural"),
)
MEASURES = {
    "AE ceiling": "psnr",
    "ridge probe": "ridge_probe_psnr",
    "convolutional probe": "conv_probe_psnr",
    "predicted SR PSNR": None,
}
CONTROL = "scrambled-f4c8"


def read_cards(results: Path, data: str) -> dict[str, Any]:
    """Score cards of a data set by candidate, the control left out."""
    files = sorted((results / "scores" / data).glob("*.json"))
    return {file.stem: read_json(file) for file in files if file.stem != CONTROL}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("leaderboards") / "results")
    parser.add_argument("--recipe", default="compact", help="recipe whose shipped predictor ranks")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    options = parser.parse_args()
    predictor = load(shipped_path(options.recipe))
    pairs: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    for real, other in PAIRS:
        cards = [read_cards(options.results, data) for data in (real, other)]
        shared = sorted(set(cards[0]) & set(cards[1]))
        taus = {}
        for title, key in MEASURES.items():
            first, second = (
                [
                    each[name]["summary"][key] if key else predictor.predict(each[name]).value
                    for name in shared
                ]
                for each in cards
            )
            taus[title] = float(kendalltau(first, second).statistic)
        pairs.append({"real": real, "other": other, "candidates": len(shared), "tau": taus})
        rows.append([real, other, str(len(shared)), *map(number, taus.values())])
    print(table(["real images", "beside", "candidates", *MEASURES], rows, 2))
    if options.output is not None:
        write_json(options.output, {"recipe": options.recipe, "pairs": pairs})
        print(json.dumps({"written": str(options.output)}))


if __name__ == "__main__":
    main()
