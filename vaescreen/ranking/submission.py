"""A row for the leaderboard, as a folder that somebody else can check: entry, score cards, and what to say with it."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from vaescreen.errors import CandidateError, RegistryError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import GithubSource, HubSource, WebSource
from vaescreen.registry.yaml_editing import block
from vaescreen.screening.cards import ScoreCard, card_path
from vaescreen.storage import write_bytes, write_json

_COMMIT_DIGITS = 40


@dataclass(frozen=True)
class Submission:
    """What was written: the folder, and the text of the pull request."""

    folder: Path
    text: str


def check_public(candidate: Candidate) -> None:
    """Refuse a candidate that others could not fetch, or whose licence nobody confirmed.

    Raises
    ------
    RegistryError
        With what is missing, and how it is given.
    """
    name, source = candidate.name, candidate.source
    if not isinstance(source, HubSource | WebSource | GithubSource):
        raise RegistryError(
            f"{name} lies on this machine only; put its weights where others can fetch them and add it by that address"
        )
    if isinstance(source, HubSource) and len(source.revision) != _COMMIT_DIGITS:
        raise RegistryError(
            f"{name} is of branch {source.revision!r}, which moves; name a commit: "
            f"`vaescreen registry add {source.hub} --revision COMMIT`"
        )
    if candidate.sha256 is None and isinstance(source, HubSource | WebSource):
        raise RegistryError(
            f"{name} has no sha256; `vaescreen registry add` writes it for what it has fetched"
        )
    if candidate.licence == "unknown" or "licence" in candidate.unverified:
        raise RegistryError(
            f"the licence of {name} is not confirmed; state it with --licence, and where it is written"
        )


def write_submission(
    candidate: Candidate, cards: tuple[ScoreCard, ...], results: Path, folder: Path
) -> Submission:
    """Write the folder of a submission: entry, cards with their tables, `submission.json` and the text to send.

    `submission.json` has fingerprints, environment and the sha256 of each file; `TEXT.md` is that of the pull request.

    Parameters
    ----------
    candidate
        The entry.
    cards
        Its score cards, one a data set, as they lie in `results`.
    results
        Folder that the cards lie in.
    folder
        Where it goes; made if it does not exist.

    Raises
    ------
    RegistryError
        See `check_public`.
    CandidateError
        If there is no card.
    CacheError
        If the folder cannot be written.
    """
    check_public(candidate)
    if not cards:
        raise CandidateError(f"{candidate.name} has no score card; give --data")
    write_bytes(folder / "entry.yaml", block(candidate.name, candidate.entry(folder)).encode())
    files = [folder / "entry.yaml"]
    for card in cards:
        source, target = (card_path(place, card.data["name"], candidate.name) for place in (results, folder))
        for suffix in (".parquet", ".json"):
            write_bytes(target.with_suffix(suffix), source.with_suffix(suffix).read_bytes())
            files.append(target.with_suffix(suffix))
    first = cards[0]
    record = {
        "candidate": candidate.name,
        "fingerprint": first.fingerprint,
        "protocol": first.protocol,
        "environment": first.environment,
        "data": {card.data["name"]: card.data["fingerprint"] for card in cards},
        "sha256": {
            path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files
        },
    }
    write_json(folder / "submission.json", record)
    text = _text(candidate, cards)
    write_bytes(folder / "TEXT.md", text.encode())
    return Submission(folder, text)


def _text(candidate: Candidate, cards: tuple[ScoreCard, ...]) -> str:
    lines = [
        f"# {candidate.name}",
        "",
        f"{candidate.geometry}, {candidate.domain}, {candidate.licence}; trained on: {candidate.training_data}.",
        "Not confirmed: " + (", ".join(candidate.unverified) or "nothing") + ".",
        "",
        "| data | images | reconstruction limit, dB | convolutional probe, dB |",
        "| :-- | --: | --: | --: |",
        *(
            f"| {card.data['name']} | {card.counts['test_images']} | {card.summary['psnr']:.2f} | "
            f"{card.summary['conv_probe_psnr']:.2f} |"
            for card in cards
        ),
        "",
        "To check it:",
        "",
        *(
            f"    vaescreen reproduce {candidate.name} --data {card.data['name']} --results leaderboards/results"
            for card in cards
        ),
    ]
    return "\n".join(lines) + "\n"
