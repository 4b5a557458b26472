"""Simulated points and result files: a made-up law of SR quality with noise, standing for no measurement."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaescreen.autoencoders.contract import Geometry
from vaescreen.predictor.points import Definition, Point
from vaescreen.screening.conditioning import AS_BUILT
from vaescreen.storage import write_json

DIFFICULTY = {"brain": 31.0, "chest": 29.0, "natural": 25.0}
GEOMETRIES = (Geometry(4, 8), Geometry(3, 4), Geometry(16, 8), Geometry(1, 4), Geometry(8, 4))


def simulate_points(
    candidates: int = 12, data: tuple[str, ...] = tuple(DIFFICULTY), noise: float = 0.3, seed: int = 0
) -> list[Point]:
    """SIMULATION: a good latent has a high AE ceiling or a high probe; only the probe decides SR quality."""
    random = np.random.default_rng(seed)
    points = []
    for index in range(candidates):
        ceiling, foreseeable = random.normal(4, 2), random.normal(0, 1.5)
        for name in data:
            bicubic = DIFFICULTY[name]
            conv = bicubic - 1 + foreseeable + random.normal(0, 0.3)
            ridge, ae_ceiling = conv - 1 + random.normal(0, 0.5), bicubic + ceiling + random.normal(0, 0.5)
            sr = 1 + 0.95 * conv + random.normal(0, noise)
            spread, kept = conv + 2 + random.normal(0, 0.3), -3 + random.normal(0, 1)
            targets = {
                "sr_psnr": sr,
                "posterior_mean_psnr": sr + 1 + random.normal(0, noise / 2),
                "detail": kept + random.normal(0, noise),
            }
            geometry = GEOMETRIES[index % len(GEOMETRIES)]
            points.append(
                Point(
                    candidate=f"ae-{index:02}",
                    family=("bundled-a", "linear-b", "published-c", "published-d")[index % 4],
                    domain="medical" if index % 2 else "generic",
                    geometry=geometry,
                    data=name,
                    data_fingerprint=f"pixels of {name}",
                    recipe="compact",
                    definition=Definition(128, "lanczos", 4, str(AS_BUILT), "score-3"),
                    features={
                        "ae_ceiling": ae_ceiling,
                        "ridge_probe_psnr": ridge,
                        "conv_probe_psnr": conv,
                        "bicubic_psnr": bicubic,
                        "spread_psnr": spread,
                        "split_psnr": -10 * math.log10(10 ** (-conv / 10) + 10 ** (-spread / 10)),
                        "denoise_sample_detail": kept,
                        "ssim": float(random.uniform(0.8, 0.99)),
                        "latent_gap": ae_ceiling - conv,
                        "linear_gap": conv - ridge,
                        "ae_share": 10 ** ((conv - ae_ceiling) / 10),
                        "log2_factor": math.log2(geometry.factor),
                        "log2_channels": math.log2(geometry.channels),
                        "log2_compression": math.log2(geometry.factor**2 / geometry.channels),
                        "log10_finest_share": math.log10(0.3),
                    },
                    targets=targets,
                    seeds=3,
                    seed_sd=dict.fromkeys(targets, noise),
                )
            )
    return points


@pytest.fixture(scope="session")
def simulate() -> Callable[..., list[Point]]:
    return simulate_points


def card_of(point: Point) -> dict[str, Any]:
    """Score card whose features are those of the point."""
    copied = (
        "ridge_probe_psnr",
        "conv_probe_psnr",
        "bicubic_psnr",
        "ssim",
        "spread_psnr",
        "denoise_sample_detail",
    )
    target, parts = point.definition.conditioning.split(" from ")
    bands = {f"band_{kind}{level}": 1e-4 for level in (1, 2, 3) for kind in ("LH", "HL", "HH")}
    view = {
        "size": point.definition.size,
        "degradation": {
            "kernel": point.definition.kernel,
            "scale": point.definition.scale,
            "library": "Pillow",
        },
        "target": target,
        "conditioning": parts.split(" and "),
    }
    return {
        "protocol": point.definition.protocol,
        "candidate": point.candidate,
        "fingerprint": f"weights of {point.candidate}",
        "family": point.family,
        "domain": point.domain,
        "geometry": point.geometry._asdict(),
        "data": {"name": point.data, "fingerprint": point.data_fingerprint},
        "view": view,
        "summary": {
            "psnr": point.features["ae_ceiling"],
            "psnr_foreground": None,
            "band_LL3": 1e-4,
            **bands,
            **{name: point.features[name] for name in copied},
        },
    }


@pytest.fixture(scope="session")
def card() -> Callable[[Point], dict[str, Any]]:
    return card_of


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results folder with simulated score cards and reference points of three candidates on two data sets."""
    for point in simulate_points(3, ("brain", "chest")):
        card = card_of(point)
        write_json(tmp_path / "scores" / point.data / f"{point.candidate}.json", card)
        shared = {
            key: card[key] for key in ("candidate", "fingerprint", "family", "domain", "geometry", "data")
        }
        reference = {
            **shared,
            "protocol": "reference-2",
            "recipe": {
                "name": "compact",
                "size": 128,
                "degradation": {"kernel": "lanczos", "scale": 4},
                **AS_BUILT.description(),
            },
            "summary": point.targets | {"sr_ssim": 0.7},
        }
        write_json(
            tmp_path / "reference" / "compact" / point.data / f"{point.candidate}-seed0.json", reference
        )
    return tmp_path
