"""What others published of autoencoders that are ranked here: in a table of its own, never among our figures."""

from pathlib import Path

import pandas as pd

from vaescreen.ranking.columns import ABSENT, number
from vaescreen.reports.markdown import table

_FILE = Path(__file__).with_suffix(".csv")
"""AE ceiling and SR PSNR in dB, as printed; with `less`, the difference to that autoencoder."""

_CITATION = (
    "[arXiv 2604.12152](https://arxiv.org/abs/2604.12152), version 1 (April 2026) and its revision (July 2026), which "
    "prints differences: 256x256 pixels, 4x, MRNet knee MRI (n = 120), BraTS 2023 FLAIR (n = 700: 35 patients) "
    "and MIMIC-CXR chest X-rays (n = 1000)."
)


def as_published() -> list[str]:
    """Render the published figures of SD-VAE, KL-f4 and MedVAE, with their source."""
    figures = pd.read_csv(_FILE, keep_default_na=False)
    data = list(figures["data"].unique())
    lines = []
    for (source, autoencoder, less), group in figures.groupby(["source", "autoencoder", "less"], sort=False):
        pairs = {
            row.data: _pair(str(row.ae_ceiling), str(row.sr_psnr), bool(less)) for row in group.itertuples()
        }
        name = f"{autoencoder} less {less}" if less else str(autoencoder)
        lines.append([name, *(pairs[each] for each in data), str(source)])
    return [
        "## As published by others",
        table(["autoencoder", *(f"{each}: AE ceiling / SR PSNR" for each in data), "source"], lines),
        f"In dB, not measured here and not comparable with the tables above: {_CITATION}",
    ]


def _pair(ceiling: str, reached: str, signed: bool) -> str:
    return " / ".join(
        number(float(value), signed=signed) if value else ABSENT for value in (ceiling, reached)
    )
