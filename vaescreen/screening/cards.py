"""Score cards as files: `scores/<data>/<candidate>.json`, and the per-image values as `.parquet` beside it."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import DamagedError, ResultError
from vaescreen.screening.view import View
from vaescreen.storage import (
    beside_namesakes,
    make_way,
    read_json,
    read_table,
    set_aside,
    table_bytes,
    write_json,
    write_table,
)

PROTOCOL = "score-3"
"""Changes whenever what is measured, or how, changes its values."""


@dataclass(frozen=True)
class ScoreCard:
    """Everything screening measured of one candidate on one data set, in summary.

    Attributes
    ----------
    protocol : str
        Version of what was measured.
    candidate, fingerprint, family, domain, geometry
        The autoencoder.
    data : dict
        `name`, `kind`, `fingerprint` and `description` of the data set.
    view : dict
        `size` and `degradation` of the images; `conditioning` and `target` of the probes.
    counts : dict
        `train_images` that the probes were fitted on, `test_images`, `test_patients`, and the `panel_images`
        among the test images that the dearer values are of.
    summary : dict
        Means over the test images of what the Parquet file holds; values of the panel and of the latents as a
        whole (see `vaescreen.screening.measurement`); `encode_ms` and `decode_ms` an image. `psnr` is the AE
        ceiling.
    latents : dict
        By channel: `mean` and `sd` over the train images, `ridge_r2` the share of the target that the ridge probe
        explains.
    batch_size : int
        Images at a time at the end: smaller than usual if memory ran out.
    seed, environment, command
        How it was made.
    images_sha256 : str
        Hash of the Parquet file; empty until that is written.
    """

    protocol: str
    candidate: str
    fingerprint: str
    family: str
    domain: str
    geometry: Geometry
    data: dict[str, Any]
    view: dict[str, Any]
    counts: dict[str, int]
    summary: dict[str, float]
    latents: dict[str, list[float]]
    batch_size: int
    seed: int
    environment: dict[str, Any]
    command: str
    images_sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the card as it stands in its file."""
        return asdict(self) | {"geometry": self.geometry._asdict()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "ScoreCard":
        """Make a card of what `to_json` gave.

        Raises
        ------
        TypeError, KeyError, AttributeError
            If something is missing or too much.
        """
        return cls(**record | {"geometry": Geometry(**record["geometry"])})

    def is_current(self, *, fingerprint: str, data: str, view: View, seed: int) -> bool:
        """Whether measuring again would give the same: protocol, autoencoder, data, view and seed are equal.

        Parameters
        ----------
        fingerprint, data
            Fingerprints of the autoencoder and of the data set.
        """
        made_for = (self.protocol, self.fingerprint, self.data["fingerprint"], self.view, self.seed)
        return made_for == (PROTOCOL, fingerprint, data, view.description(), seed)


def card_path(results: Path, data: str, candidate: str) -> Path:
    """Where the card of a candidate on a data set is, in a folder of results."""
    return results / "scores" / data / f"{candidate}.json"


def write_card(path: Path, card: ScoreCard, images: pd.DataFrame) -> ScoreCard:
    """Write a card and its per-image values, the card last: with it the result is complete; give it as it is then.

    A card of other images that bear the same name makes way (see `current_card`): two data sets of one name do not
    cost each other anything.
    """
    make_way(path, card.data["fingerprint"], ".parquet")
    complete = replace(card, images_sha256=write_table(path.with_suffix(".parquet"), images))
    write_json(path, complete.to_json())
    return complete


def current_card(path: Path, *, fingerprint: str, data: str, view: View, seed: int) -> ScoreCard | None:
    """Card at `path` that is current, or the one that made way for a card of other images of the same name.

    None if there is none; what is damaged is put aside.

    Parameters
    ----------
    fingerprint, data
        Fingerprints of the autoencoder and of the data set.
    """
    for place in (path, beside_namesakes(path, data)):
        try:
            card = read_card(place)
        except DamagedError as error:
            set_aside(place, error, place.with_suffix(".parquet"))
        except ResultError:
            continue
        else:
            if card.is_current(fingerprint=fingerprint, data=data, view=view, seed=seed):
                return card
    return None


def read_card(path: Path) -> ScoreCard:
    """Read a card and check that the per-image values beside it are those that belong to it.

    Raises
    ------
    ResultError
        If there is none.
    DamagedError
        If a file is damaged, the two do not belong together, or the card is not of the candidate it is called by.
    """
    record = read_json(path)
    try:
        card = ScoreCard.from_json(record)
    except (TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"{path} is not a score card ({error}); delete it and score again") from error
    if card.candidate != path.stem:
        raise DamagedError(f"{path} is damaged: it is the card of {card.candidate}")
    table_bytes(path.with_suffix(".parquet"), card.images_sha256)
    return card


def read_images(results: Path, card: ScoreCard) -> pd.DataFrame:
    """Per-image values of a card.

    Raises
    ------
    DamagedError
        If they are missing, or other ones.
    """
    path = card_path(results, card.data["name"], card.candidate)
    try:
        return read_table(path.with_suffix(".parquet"), card.images_sha256)
    except DamagedError:
        aside = beside_namesakes(path, card.data["fingerprint"])
        return read_table(aside.with_suffix(".parquet"), card.images_sha256)
