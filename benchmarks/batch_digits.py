"""How many digits of a score card hang on the batch and on the threads: every value of every image, beside those usual.

    python -m benchmarks.batch_digits

With one thread and its usual batch a card comes out the same to the bit, on one machine, whatever the order of images
and candidates and however many workers (`tests/screening/test_campaign.py`). Kernels of other batches and threads add
up in another order; the probes, which learn from what comes out, carry that on.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from vaescreen.environment import command_line, environment
from vaescreen.images import open_data
from vaescreen.images.dataset import DataSet
from vaescreen.ranking.scoring import view_of
from vaescreen.registry.catalogue import Registry
from vaescreen.screening import scorer
from vaescreen.screening.cards import card_path
from vaescreen.storage import write_json

OUT = Path("benchmarks/results/batch_digits.json")


def images_of(candidate: str, data: DataSet, batch: int, threads: int) -> pd.DataFrame:
    """Values of the test images, measured in batches of that many."""
    view = view_of("compact")
    scorer.PIXELS_PER_BATCH["cpu"] = batch * (view.size or 1) ** 2
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        scorer.score(Registry.load().candidate(candidate), data, view, results=Path(folder))
        table = pd.read_parquet(card_path(Path(folder), data.name, candidate).with_suffix(".parquet"))
    return table.drop(columns="patient_id").set_index("image_id")


def measure(candidate: str, train: int, test: int) -> dict[str, Any]:
    """Largest difference of a PSNR in dB from that of batches of 4 on one thread, before and after the probes."""
    data = open_data("chest", size=view_of("compact").size, train_images=train, test_images=test)
    usual = images_of(candidate, data, 4, 1)
    probes = [
        name for name in usual if "probe" in str(name) or "denoise" in str(name) or "spread" in str(name)
    ]
    moved = {}
    for batch, threads in ((4, 1), (1, 1), (7, 1), (32, 1), (4, 2)):
        apart = (images_of(candidate, data, batch, threads) - usual).abs().max()
        moved[f"batch {batch}, {threads} thread{'s' if threads > 1 else ''}"] = {
            "autoencoder_db": float(apart["psnr"]),
            "probes_db": float(apart[probes].max()),
        }
    return moved


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--candidate", default="medical-f8c4")
    parser.add_argument("--train-images", type=int, default=16)
    parser.add_argument("--test-images", type=int, default=8)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    moved = measure(options.candidate, options.train_images, options.test_images)
    result = {"candidate": options.candidate, "moved": moved}
    write_json(options.out, result | {"environment": environment(), "command": command_line()})
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
