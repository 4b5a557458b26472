"""What racing would save: candidates leave once a confidence sequence over patients says that they cannot be the best.

    python -m benchmarks.racing --replays 200

Nothing runs: recorded values of every image are replayed in seeded orders of patients. After each patient every
candidate that is left is set beside the leader; it leaves when the upper end of an asymptotic confidence sequence of
the mean difference of patients is below zero (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas: Time-uniform central
limit theory and asymptotic confidence sequences, Annals of Statistics 52(6), 2024, in its one-sided form; the level is
shared out over the rivals). The race ends with one candidate, or with the last patient. Its answer is right if it is
that of all images.

`passes` is the share of the test images' passes that were run. A card costs more than these: every train image is
encoded twice and probes are fitted before the first test image can be judged, which no race saves.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaescreen.environment import command_line, environment
from vaescreen.registry.catalogue import Registry
from vaescreen.storage import read_json, write_json

OUT = Path("benchmarks/results/racing.json")
SCORES = Path("leaderboards/results/scores")
LEVEL = 0.95
FEWEST = 10
"""Patients that a variance, and with it an asymptotic statement, needs."""
TRAIN_PASSES, TEST_PASSES = 2, 8
"""Of a card for each train image (two encodings) and each test image (two encodings, six decodings)."""

Matrix = NDArray[np.float64]


def recorded(data: str, column: str) -> tuple[pd.DataFrame, list[str], float]:
    """Values by image and candidate, the patient of each image, and the share of a card's passes that race."""
    known, columns, patients, shares = Registry.load().candidates, {}, [], []
    for path in sorted((SCORES / data).glob("*.parquet")):
        name = path.stem
        if name in known and known[name].is_control:
            continue
        table = pd.read_parquet(path)
        columns[name], patients = table.set_index("image_id")[column], table["patient_id"].tolist()
        counts = read_json(path.with_suffix(".json"))["counts"]
        test, train = TEST_PASSES * counts["test_images"], TRAIN_PASSES * counts["train_images"]
        shares.append(test / (test + train))
    return pd.DataFrame(columns), patients, float(np.mean(shares))


def half_width(variance: Matrix, count: int, alpha: float, aimed_at: int) -> Matrix:
    """What the confidence sequence allows for after `count` patients; it is tightest at `aimed_at`."""
    smoothing = (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha))) / aimed_at
    spread = count * smoothing + 1
    width: Matrix = np.sqrt(
        variance * 2 * spread / (count**2 * smoothing) * np.log1p(np.sqrt(spread) / (2 * alpha))
    )
    return width


def race(patient_sums: Matrix, sizes: NDArray[np.integer[Any]], alpha: float) -> tuple[int, float]:
    """The winner's place, and the share of passes run; patients `[P, candidates]` in the order of the replay."""
    total, rivals = patient_sums.shape[1], patient_sums.shape[1] - 1
    left = np.arange(total)
    means = patient_sums / sizes[:, None]
    passes = 0
    for count in range(1, len(sizes) + 1):
        passes += int(sizes[count - 1]) * len(left)
        if count < FEWEST:
            continue
        seen = patient_sums[:count, left].sum(axis=0)
        leader = left[seen.argmax()]
        apart = means[:count, left] - means[:count, [leader]]
        reach = half_width(apart.var(axis=0, ddof=1), count, alpha / rivals, len(sizes) // 3)
        left = left[(apart.mean(axis=0) + reach >= 0) | (left == leader)]
        if len(left) == 1:
            break
    seen = patient_sums[:count, left].sum(axis=0)
    return int(left[seen.argmax()]), passes / (int(sizes.sum()) * total)


def replay(data: str, column: str, replays: int) -> dict[str, Any]:
    table, patients, share = recorded(data, column)
    grouped = table.groupby(np.array(patients))
    sums, sizes = grouped.sum().to_numpy(), grouped.size().to_numpy()
    best = int(table.to_numpy().mean(axis=0).argmax())
    found = []
    for seed in range(replays):
        order = np.random.default_rng(seed).permutation(len(sizes))
        found.append(race(sums[order], sizes[order], 1 - LEVEL))
    passes = float(np.mean([run for _, run in found]))
    return {
        "candidates": table.shape[1],
        "images": len(table),
        "patients": len(sizes),
        "same_answer": round(float(np.mean([winner == best for winner, _ in found])), 3),
        "passes": round(passes, 3),
        "passes_that_race": round(share, 3),
        "of_all_passes": round(1 - share * (1 - passes), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--data", nargs="+", default=["brain", "chest", "natural"])
    parser.add_argument("--by", nargs="+", default=["conv_probe_psnr", "denoise_sample_psnr"])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    result = {
        "replays": options.replays,
        "level": LEVEL,
        "races": {
            by: {data: replay(data, by, options.replays) for data in options.data} for by in options.by
        },
        "environment": environment(),
        "command": command_line(),
    }
    write_json(options.out, result)
    print(json.dumps(result["races"], indent=1))


if __name__ == "__main__":
    main()
