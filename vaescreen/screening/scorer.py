"""From a candidate to its score card: measured, or taken from the file when nothing changed."""

from pathlib import Path

import pandas as pd
import torch

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.environment import command_line, environment
from vaescreen.errors import DataError
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.settings import LARGEST_WHOLE
from vaescreen.screening.cards import PROTOCOL, ScoreCard, card_path, current_card, write_card
from vaescreen.screening.guarded import TIME_LIMIT, GuardedAutoencoder
from vaescreen.screening.measurement import measure
from vaescreen.screening.process_state import time_limit as within
from vaescreen.screening.process_state import unchanged_process
from vaescreen.screening.view import View
from vaescreen.storage import locked

PIXELS_PER_BATCH = {"cpu": 4 * 128**2, "cuda": 16 * 128**2}
"""Of images that are worked on at a time: on a CPU so few that a layer's values stay in the cache of the core."""


def score(
    candidate: Candidate,
    data: DataSet,
    view: View,
    *,
    results: Path,
    seed: int = 0,
    device: str = "cpu",
    autoencoder: Autoencoder | None = None,
    time_limit: float = TIME_LIMIT,
) -> ScoreCard:
    """Score a candidate on the test split, or take its card from `results` if it is still current.

    A card that another process is at is waited for.

    Parameters
    ----------
    candidate
        The registry entry.
    data
        Images of the size of the view.
    view
        Size and degradation.
    results
        Folder of results; the card and its per-image values are written there.
    seed
        Of the probes.
    device
        Where networks run.
    autoencoder
        The autoencoder behind the entry, if you have opened it already or it is your own; by default
        it is opened if it has to run.
    time_limit
        Seconds that each call of it may take.

    Raises
    ------
    CandidateError
        If the candidate cannot be opened, fails, or gives unusable output.
    DataError
        If the images are not of the view's size, or one can no longer be read.
    CacheError
        If `results` cannot be written.
    """
    check_size(data, view)
    if candidate.runs_code and autoencoder is None:
        with unchanged_process(candidate.name, opening=True), within(time_limit, candidate.name):
            autoencoder = open_autoencoder(candidate, data, device)
    fingerprint = fingerprint_of(candidate, data) if autoencoder is None else autoencoder.fingerprint
    path = card_path(results, data.name, candidate.name)

    def find() -> ScoreCard | None:
        return find_card(candidate, fingerprint, data, view, results=results, seed=seed)

    known = find()
    if known is None:
        with locked(path):
            known = find()
            if known is None:
                opened = open_autoencoder(candidate, data, device) if autoencoder is None else autoencoder
                batch_size = (
                    max(PIXELS_PER_BATCH[torch.device(device).type] // view.size**2, 1) if view.size else 1
                )
                guarded = GuardedAutoencoder(opened, candidate.name, batch_size, time_limit)
                card, images = _measured(candidate, fingerprint, guarded, data, view, seed, device)
                known = write_card(path, card, images)
    return known


def _measured(
    candidate: Candidate,
    fingerprint: str,
    guarded: GuardedAutoencoder,
    data: DataSet,
    view: View,
    seed: int,
    device: str,
) -> tuple[ScoreCard, pd.DataFrame]:
    measured = measure(guarded, data, view, factor=guarded.geometry.factor, seed=seed, device=device)
    means = measured.images.drop(columns=["image_id", "patient_id"]).mean()
    return ScoreCard(
        protocol=PROTOCOL,
        candidate=candidate.name,
        fingerprint=fingerprint,
        family=candidate.family,
        domain=candidate.domain,
        geometry=guarded.geometry,
        data=data.record,
        view=view.description(),
        counts={
            "train_images": measured.train_images,
            "panel_images": measured.panel_images,
            "test_images": len(measured.images),
            "test_patients": int(measured.images["patient_id"].nunique()),
        },
        summary={str(name): float(mean) for name, mean in means.items()}
        | measured.panel
        | {"encode_ms": measured.encode_ms, "decode_ms": measured.decode_ms},
        latents={"mean": measured.latent_mean, "sd": measured.latent_sd, "ridge_r2": measured.ridge_r2},
        batch_size=guarded.batch_size,
        seed=seed,
        environment=environment(device) | candidate.settings.record() | _tiles(candidate, view),
        command=command_line(private=data.private),
    ), measured.images


def _tiles(candidate: Candidate, view: View) -> dict[str, int]:
    """Tiles that a network works in, where images may be so large; codecs are the same in tiles and whole."""
    if candidate.adapter == "linear" or (view.size is not None and view.size <= LARGEST_WHOLE):
        return {}
    return {"tile": candidate.settings.tile or LARGEST_WHOLE}


def check_size(data: DataSet, view: View) -> None:
    """Refuse images that are not of the view's size.

    Raises
    ------
    DataError
        If they are not.
    """
    if data.size != view.size:
        raise DataError(
            f"{data.name} is opened at size {data.size or 'native'}, but the view is of {view.size or 'native'}"
        )


def find_card(
    candidate: Candidate, fingerprint: str, data: DataSet, view: View, *, results: Path, seed: int
) -> ScoreCard | None:
    """Card of a candidate of this fingerprint, if there is a current one; a damaged card is put aside."""
    path = card_path(results, data.name, candidate.name)
    return current_card(path, fingerprint=fingerprint, data=data.fingerprint, view=view, seed=seed)
