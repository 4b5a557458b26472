"""What may be sent in, and what is in the folder."""

import json
from pathlib import Path

import pytest
from small import write_pictures, write_registry

import vaescreen
from vaescreen.errors import RegistryError
from vaescreen.ranking.submission import check_public, write_submission
from vaescreen.registry.catalogue import make_candidate

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FIELDS = {
    "adapter": "diffusers",
    "source": {"hub": "org/name", "revision": COMMIT},
    "geometry": {"channels": 4, "factor": 16},
    "domain": "medical",
    "family": "org",
    "licence": "MIT",
    "training_data": "X-rays",
    "sha256": "a" * 64,
}


def test_a_pinned_and_licensed_candidate_may_be_sent_in() -> None:
    check_public(make_candidate("mine", FIELDS))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": {"hub": "org/name", "revision": "main"}}, "which moves; name a commit"),
        ({"source": {"path": "/home/me/vae"}}, "lies on this machine only"),
        ({"licence": "unknown"}, "licence of mine is not confirmed"),
        ({"unverified": ["licence"]}, "licence of mine is not confirmed"),
        ({"sha256": None}, "has no sha256"),
    ],
)
def test_what_others_could_not_check_is_refused(change: dict, said: str) -> None:
    fields = {key: value for key, value in (FIELDS | change).items() if value is not None}
    with pytest.raises(RegistryError, match=said):
        check_public(make_candidate("mine", fields))


def test_the_folder_has_entry_cards_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    registry, pictures = write_registry(tmp_path), write_pictures(tmp_path / "pictures")
    results = tmp_path / "results"
    scored = vaescreen.score(["dct-f16c4"], pictures, size=64, at=vaescreen.Workplace(registry, results))
    candidate = make_candidate("dct-f16c4", FIELDS)
    made = write_submission(candidate, scored.cards, results, tmp_path / "sent")
    assert (made.folder / "scores/pictures/dct-f16c4.parquet").is_file()
    assert "hub: org/name" in (made.folder / "entry.yaml").read_text()
    record = json.loads((made.folder / "submission.json").read_text())
    assert record["data"] == {"pictures": scored.cards[0].data["fingerprint"]}
    assert f"| pictures | {scored.cards[0].counts['test_images']} |" in made.text
    assert "vaescreen reproduce dct-f16c4 --data pictures" in made.text
