"""What may be sent in, and what is in the folder."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hub import Hub
from small import write_pictures, write_registry

import vaescreen
from vaescreen.autoencoders.weights import locate
from vaescreen.errors import RegistryError
from vaescreen.ranking.submission import check_public, write_submission
from vaescreen.registry.catalogue import Registry, make_candidate

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
    assert record["sha256"] == {
        name: hashlib.sha256((made.folder / name).read_bytes()).hexdigest()
        for name in ("entry.yaml", "scores/pictures/dct-f16c4.json", "scores/pictures/dct-f16c4.parquet")
    }
    assert f"| pictures | {scored.cards[0].counts['test_images']} |" in made.text
    assert "vaescreen reproduce dct-f16c4 --data pictures" in made.text


@pytest.mark.slow
def test_a_row_is_made_checked_and_shown_as_the_guide_for_contributors_says(tmp_path: Path) -> None:
    repository, pictures = tmp_path / "hub" / "org" / "own", write_pictures(tmp_path / "pictures", side=128)
    repository.mkdir(parents=True)
    files = locate(Registry.load().candidate("medical-f4c3"))
    for file in (files.config, files.weights):
        shutil.copy(file, repository)
    board, registry = tmp_path / "leaderboards", tmp_path / "registry.yaml"
    with Hub(tmp_path / "hub") as hub:
        environment = hub.environment(tmp_path / "home") | {
            "VAESCREEN_CONFIG": str(tmp_path / "config"),
            "VAESCREEN_CACHE": str(tmp_path / "cache"),
        }

        def vaescreen_(*command: str | Path) -> str:
            called = [sys.executable, "-m", "vaescreen", *map(str, command)]
            done = subprocess.run(called, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        stated = ("--licence", "MIT", "--training-data", "X-rays", "--domain", "medical")
        vaescreen_("registry", "add", "org/own", *stated, "--size", "64", "--registry", registry)
        on = ("--data", pictures, "--registry", registry)
        sent = tmp_path / "sent"
        text = vaescreen_("submit", "own", *on, "--out", sent)
        assert "vaescreen reproduce own --data pictures" in text
        (entry,) = yaml.safe_load((sent / "entry.yaml").read_text()).items()
        assert entry[1]["source"]["revision"] == hub.commit("org/own")
        shutil.copytree(sent / "scores", board / "results" / "scores")
        vaescreen_("score", "medical-f4c3", *on, "--recipe", "compact", "--results", board / "results")
        vaescreen_("reproduce", "own", *on, "--results", board / "results", "--mark")
        done = vaescreen_("publish", "--results", board / "results", "--out", board)
        assert "pictures.md" in done
    page = (board / "pictures.md").read_text()
    assert "so it may be a copy of it" in page, "which it is"
    assert "| medical-f4c3 |" in page or "own ✓ |" in page
