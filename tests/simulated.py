"""Simulated result files: five made-up autoencoders, four data sets, numbers from a formula."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vaescreen.reports.leaderboard.board import Board, board_of
from vaescreen.reports.leaderboard.source import sources
from vaescreen.reports.leaderboard.study import read_study

CANDIDATES = {
    "medical-sim-f4c4": ("bundled-medical", "medical", 4, 4, 3.0),
    "generic-sim-f4c4": ("bundled-generic", "generic", 4, 4, 1.5),
    "pca-sim-f4c4": ("linear-pca", "none", 4, 4, 0.0),
    "medical-sim-f8c4": ("bundled-medical", "medical", 4, 8, -2.0),
    "pca-sim-f8c4": ("linear-pca", "none", 4, 8, -4.0),
}
DATA = {
    "chest": ("real", 30.0),
    "brain": ("real", 27.0),
    "natural": ("real", 28.5),
    "chest-phantom": ("phantom", 33.0),
}
WITH_REFERENCES = ("chest", "brain", "natural")
IMAGES = 6

Edit = Callable[[dict[str, Any], pd.DataFrame], pd.DataFrame | None]


class Simulated:
    """A folder of result files, and a way to damage one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def card_path(self, data: str, candidate: str) -> Path:
        return self.folder / "scores" / data / f"{candidate}.json"

    def reference_path(self, data: str, candidate: str) -> Path:
        return self.folder / "reference" / "compact" / data / f"{candidate}-seed0.json"

    def card(self, data: str, candidate: str) -> dict[str, Any]:
        return json.loads(self.card_path(data, candidate).read_text())

    def cards(self, data: str) -> list[dict[str, Any]]:
        return [self.card(data, candidate) for candidate in sorted(CANDIDATES)]

    def board(self, data: str) -> Board:
        """What the page of a data set shows."""
        found = sources(self.folder)
        sound = {self.folder / path for source in found.values() for path in source.contents.points}
        return board_of(found[data], [read_study(self.folder, "compact", sound)])

    def edit(self, path: Path, change: Edit) -> None:
        """Rewrite a result; `change` may alter the record in place and return another table."""
        record, frame = json.loads(path.read_text()), pd.read_parquet(path.with_suffix(".parquet"))
        changed = change(record, frame)
        path.write_text(json.dumps(record))
        (frame if changed is None else changed).to_parquet(path.with_suffix(".parquet"), index=False)

    def write(self, path: Path, record: dict[str, Any], means: dict[str, float], phase: float) -> None:
        wave = 0.02 * np.sin(np.arange(IMAGES) + phase)
        columns = {
            name: mean * (1 + (0 if name == "bicubic_psnr" else 1) * (wave - wave.mean()))
            for name, mean in means.items()
        }
        ids = [f"image-{number}" for number in range(IMAGES)]
        patients = [f"patient-{number // 2}" for number in range(IMAGES)]
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"image_id": ids, "patient_id": patients, **columns})
        frame.to_parquet(path.with_suffix(".parquet"), index=False)
        path.write_text(json.dumps(record))


def _identity(candidate: str, data: str) -> dict[str, Any]:
    family, domain, channels, factor, _ = CANDIDATES[candidate]
    return {
        "candidate": candidate,
        "fingerprint": f"{list(CANDIDATES).index(candidate) + 10:02x}" * 32,
        "family": family,
        "domain": domain,
        "geometry": {"channels": channels, "factor": factor},
        "data": {
            "name": data,
            "kind": DATA[data][0],
            "fingerprint": f"{list(DATA).index(data) + 100:02x}" * 32,
            "description": {"source": "simulated"},
        },
        "seed": 0,
        "environment": {"python": "3.11", "vaescreen": "simulated", "cpu": "none: numbers from a formula"},
    }


def _simulate(simulated: Simulated, data: str, candidate: str) -> None:
    gain = CANDIDATES[candidate][-1]
    place = list(CANDIDATES).index(candidate)
    ceiling = DATA[data][1] + gain
    probe = DATA[data][1] - 4 + 0.3 * gain + 0.2 * np.sin(5 * place)
    view = {
        "size": 128,
        "degradation": {"kernel": "lanczos", "scale": 4, "library": "Pillow", "version": "12"},
        "conditioning": ["upsampled-latent", "lr-pixels"],
        "target": "residual",
    }
    scores = {
        "psnr": ceiling,
        "psnr_foreground": ceiling - 1,
        "ssim": 0.8 + 0.02 * gain,
        "ms_ssim": 0.9,
        **{f"band_{band}{level}": 0.001 * level for level in (1, 2, 3) for band in ("LH", "HL", "HH")},
        "band_LL3": 0.002,
        "bicubic_psnr": DATA[data][1] - 3.9,
        "ridge_probe_psnr": probe - 0.5,
        "conv_probe_psnr": probe,
        "denoise_mean_psnr": probe - 0.4,
        "denoise_sample_psnr": probe - 0.9,
        "spread_psnr": probe + 9,
        "denoise_sample_detail": -2 - 0.1 * gain,
        "conv_probe_detail": -4.0,
    }
    card = _identity(candidate, data) | {
        "protocol": "score-3",
        "view": view,
        "counts": {"train_images": 12, "test_images": IMAGES, "test_patients": IMAGES // 2},
        "summary": scores | {"encode_ms": 1.25, "decode_ms": 2.5},
        "latents": {"mean": [0.0] * 4, "sd": [1.0] * 4},
        "command": f"vaescreen rank --data .../{data} --recipe compact",
    }
    simulated.write(simulated.card_path(data, candidate), card, scores, place)
    if data not in WITH_REFERENCES:
        return
    sr = probe + 0.3 + 0.1 * np.sin(7 * place + len(data))
    targets = {
        "sr_psnr": sr,
        "posterior_mean_psnr": sr + 0.8,
        "detail": -2.5 - 0.1 * gain + 0.1 * np.sin(3 * place),
        "upsampled_psnr": scores["bicubic_psnr"] - 0.1,
        "sr_ssim": 0.7,
        "sr_psnr_foreground": sr - 1.1,
        "sr_psnr_self": sr + 0.6,
        "ae_ceiling": ceiling,
        "bicubic_psnr": scores["bicubic_psnr"],
    }
    point = _identity(candidate, data) | {
        "protocol": "reference-2",
        "recipe": {"name": "compact", **view},
        "summary": targets,
        "training": {"samples": 32000, "seconds": 1.0, "samples_per_second": 32000.0, "losses": [1.0]},
        "command": f"vaescreen reference train {candidate} --data .../{data} --recipe compact",
    }
    simulated.write(simulated.reference_path(data, candidate), point, targets, place)


def write_simulated(folder: Path) -> Simulated:
    """Write score cards of five candidates on four data sets, reference points on the three real ones."""
    made = Simulated(folder)
    for data in DATA:
        for candidate in CANDIDATES:
            _simulate(made, data, candidate)
    return made


@pytest.fixture
def simulated(tmp_path: Path) -> Simulated:
    """Results of `write_simulated`."""
    return write_simulated(tmp_path / "results")
