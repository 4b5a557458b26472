"""Hub candidates: fetched only when asked for, then usable offline; every refusal of the hub is one line."""

import contextlib
import hashlib
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hub import Hub
from ldm_layout import ldm_config, ldm_network, ldm_state
from safetensors.torch import save_file
from small_networks import build

from vaescreen.autoencoders.folders import file_names
from vaescreen.autoencoders.hub import discard
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.weights import available, locate, pull
from vaescreen.errors import CandidateError
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.sources import HubSource

WEIGHTS = "diffusion_pytorch_model.safetensors"
TOKEN = "hf_secretsecretsecret"
PULL = """
import json, sys
from pathlib import Path
from vaescreen.autoencoders.weights import available, pull
from vaescreen.errors import CandidateError
from vaescreen.registry.catalogue import Registry

answers = {}
for name, candidate in Registry.read(Path(sys.argv[1])).candidates.items():
    answers[name] = {"before": available(candidate)}
    try:
        answers[name]["weights"] = str(pull(candidate).weights)
    except CandidateError as error:
        answers[name]["error"] = str(error)
    answers[name]["after"] = available(candidate)
assert "torch" not in sys.modules
print(json.dumps(answers))
"""
LOAD = """
import json, socket, sys
from pathlib import Path

def refuse(self, address):
    raise OSError(f"no network here: {address}")

socket.socket.connect = refuse
import torch
from vaescreen.autoencoders import open_autoencoder
from vaescreen.registry.catalogue import Registry

images = torch.load(sys.argv[2])
latents = {n: open_autoencoder(c).encode(images) for n, c in Registry.read(Path(sys.argv[1])).candidates.items()}
torch.save(latents, sys.argv[3])
"""


def run(code: str, *arguments: object, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)


def run_in_terminal(code: str, *arguments: object, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As `run`, with a terminal for stderr."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # so the end of a terminal is told
        while part := os.read(ours, 4096):
            written += part
    os.close(ours)
    stdout, _ = child.communicate(timeout=200)
    return subprocess.CompletedProcess(command, child.returncode, stdout, written.decode())


def entry(repo: str, adapter: str = "diffusers", **fields: Any) -> dict[str, Any]:
    source = {"hub": f"org/{repo}", "revision": fields.pop("revision", "main")}
    source |= {key: fields.pop(key) for key in ("subfolder", "weights", "config", "variant") if key in fields}
    return {
        "adapter": adapter,
        "source": source,
        "geometry": {"channels": 4, "factor": 4},
        "domain": "none",
        "family": "test",
        "licence": "MIT",
        "training_data": "none",
        "size_mb": 12,
        **fields,
    }


def write_registry(path: Path, **entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"candidates": entries}))
    return path


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def shard(folder: Path) -> None:
    """Split the weights of a saved network over two files and an index, as diffusers does for large ones."""
    from safetensors.torch import load_file

    state = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    table = {}
    for number in (1, 2):
        name = f"diffusion_pytorch_model-0000{number}-of-00002.safetensors"
        part = {key: value for i, (key, value) in enumerate(state.items()) if i % 2 == number - 1}
        save_file(part, folder / name)
        table |= dict.fromkeys(part, name)
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": table}))


@pytest.fixture(scope="module")
def pulled(tmp_path_factory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hub")
    root, model = folder / "root/org", build("AutoencoderKL")
    model.save_pretrained(root / "single")
    model.save_pretrained(root / "inside/vae")
    (root / "inside/unet.safetensors").write_bytes(bytes(1000))
    model.save_pretrained(root / "split")
    shard(root / "split")
    build("AutoencoderKL").half().save_pretrained(root / "half", variant="fp16")
    model.save_pretrained(root / "pickle", safe_serialization=False)
    (root / "medvae/model_weights").mkdir(parents=True)
    ldm = ldm_network(levels=3)
    torch.save({"state_dict": ldm_state(ldm)}, root / "medvae/model_weights/vae_4x_4c_2D.ckpt")
    (root / "medvae/model_weights/medvae_4x4.yaml").write_text(yaml.safe_dump(ldm_config(ldm)))
    medvae = {"subfolder": "model_weights", "weights": "vae_4x_4c_2D.ckpt", "config": "medvae_4x4.yaml"}
    with Hub(folder / "root") as hub:
        entries = {
            "single": entry("single"),
            "inside": entry("inside", subfolder="vae", revision=hub.commit("org/inside")),
            "split": entry("split"),
            "half": entry("half", variant="fp16"),
            "pickle": entry("pickle"),
            "medvae": entry("medvae", "ldm", geometry={"channels": 3, "factor": 4}, **medvae),
            "pinned-pickle": entry("pickle", revision=hub.commit("org/pickle")),
            "hashed-pickle": entry("pickle", sha256=sha256(root / "pickle/diffusion_pytorch_model.bin")),
        }
        registry = write_registry(folder / "registry.yaml", **entries)
        first = run_in_terminal(PULL, registry, env=hub.environment(folder / "home"))
        requests = list(hub.requests)
        hub.requests.clear()
        again = run(PULL, registry, env=hub.environment(folder / "home"))
        asked_again = list(hub.requests)
        hub.requests.clear()
        images = torch.rand(1, 1, 32, 32)
        torch.save(images, folder / "images.pt")
        offline = hub.environment(folder / "home") | {"HF_HUB_OFFLINE": "1"}
        second = run(LOAD, registry, folder / "images.pt", folder / "latents.pt", env=offline)
        assert second.returncode == 0, second.stderr
        yield {
            "first": first,
            "requests": requests,
            "again": again,
            "asked again": asked_again,
            "asked offline": list(hub.requests),
            "latents": torch.load(folder / "latents.pt"),
            "expected": NetworkAutoencoder(model, "kl", "0").encode(images),
            "expected of medvae": NetworkAutoencoder(ldm, "kl", "0").encode(images),
        }


class TestLayouts:
    """Small random weights where each real repository keeps its own."""

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("single", WEIGHTS),
            ("inside", WEIGHTS),
            ("split", f"{WEIGHTS}.index.json"),
            ("half", "diffusion_pytorch_model.fp16.safetensors"),
            ("pickle", "diffusion_pytorch_model.bin"),
            ("medvae", "vae_4x_4c_2D.ckpt"),
        ],
    )
    def test_pulled_once_then_opened_without_a_network(self, pulled, name, file):
        assert pulled["first"].returncode == 0, pulled["first"].stderr
        answer = json.loads(pulled["first"].stdout)[name]
        assert Path(answer.pop("weights")).name == file
        assert answer == {"before": False, "after": True}
        tolerance = 1e-2 if name == "half" else 1e-6
        expected = pulled.get(f"expected of {name}", pulled["expected"])
        torch.testing.assert_close(pulled["latents"][name], expected, atol=tolerance, rtol=0)
        assert pulled["asked offline"] == []

    def test_pulled_again_comes_from_the_cache_and_nobody_is_asked(self, pulled):
        first, again = (json.loads(pulled[when].stdout) for when in ("first", "again"))
        assert {name: answer["weights"] for name, answer in again.items()} == {
            name: answer["weights"] for name, answer in first.items()
        }
        assert all(answer["before"] for answer in again.values())
        assert pulled["asked again"] == []

    def test_nothing_else_is_downloaded(self, pulled):
        assert not any("unet" in request for request in pulled["requests"])

    def test_progress_goes_to_stderr(self, pulled):
        assert "safetensors: 100%" in pulled["first"].stderr


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("faults")
    root = folder / "root/org"
    build("AutoencoderKL").save_pretrained(root / "busy")
    for name in ("down", "damaged", "pinned", "page", "pointer", "long", "empty"):
        (root / name).mkdir()
        (root / name / "config.json").write_text("{}")
        (root / name / WEIGHTS).write_bytes(name.encode() * 100)
    (root / "page" / WEIGHTS).write_text("<!doctype html><p>Please log in</p>")
    (root / "pointer" / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    (root / "empty" / WEIGHTS).unlink()
    content = bytes(range(256)) * 50_000  # more than the client reads at a time, so that it can go on
    (root / "long" / WEIGHTS).write_bytes(content)
    hub = Hub(
        folder / "root",
        refused={
            "org/gated": (403, "GatedRepo"),
            "org/gated-out": (401, "GatedRepo"),
            "org/private": (401, "RepoNotFound"),
            "org/forbidden": (403, ""),
        },
        failing={f"org/busy/{WEIGHTS}": [429], f"org/down/{WEIGHTS}": [500]},
        cut={f"org/long/{WEIGHTS}": 11_000_000},
        swapped={f"org/damaged/{WEIGHTS}": b"changed" * 100},
    )
    names = ("busy", "down", "damaged", "page", "pointer", "long", "empty", "gated", "gated-out")
    entries = {name: entry(name) for name in (*names, "private", "forbidden", "none")}
    entries["pinned"] = entry("pinned", sha256="0" * 64)
    entries["old"] = entry("busy", revision="v9")
    registry = write_registry(folder / "registry.yaml", **entries)
    with hub:
        child = run(PULL, registry, env=hub.environment(folder / "home") | {"HF_TOKEN": TOKEN})
    assert child.returncode == 0, child.stderr
    stored = b"".join(path.read_bytes() for path in (folder / "home").rglob("*") if path.is_file())
    return json.loads(child.stdout) | {
        "everything": child.stdout.encode() + child.stderr.encode() + stored,
        "requests": hub.requests,
        "long sha256": hashlib.sha256(content).hexdigest(),
    }


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "says"),
        [
            (
                "gated",
                "is gated; accept its licence at https://huggingface.co/org/gated, then log in with `hf auth",
            ),
            (
                "gated-out",
                "is gated; accept its licence at https://huggingface.co/org/gated-out, then log in",
            ),
            ("private", "org/private is not on the hub, or is private (`hf auth login`)"),
            ("none", "org/none is not on the hub"),
            ("old", "org/busy has no revision 'v9'"),
            ("forbidden", "org/forbidden cannot be fetched: the hub answered 403 (access is refused)"),
            ("down", "org/down cannot be fetched: the hub answered 500 (its own fault); try again later"),
            ("damaged", f"{WEIGHTS} arrived damaged: its sha256 is not the one that org/damaged gives"),
            ("pinned", "sent weights whose sha256 is not 000000000000..., which the registry pins"),
            ("page", f"{WEIGHTS} is an HTML page, not the file"),
            ("pointer", f"{WEIGHTS} is a Git LFS pointer, not the file"),
            ("empty", f"has no {WEIGHTS} or "),
        ],
    )
    def test_is_one_line_and_leaves_nothing_to_use(self, answers, name, says):
        message = answers[name]["error"]
        assert says in message
        assert message.startswith(f"{name}: ")
        assert "\n" not in message
        assert not answers[name]["after"]

    def test_too_many_requests_then_success(self, answers):
        assert answers["busy"]["after"]
        assert sum(r == f"GET {self.address('busy', answers)}" for r in answers["requests"]) == 2

    def test_cut_connection_is_taken_up_where_it_broke(self, answers):
        assert (
            hashlib.sha256(Path(answers["long"]["weights"]).read_bytes()).hexdigest()
            == answers["long sha256"]
        )
        again = [
            r for r in answers["requests"] if r.startswith(f"GET {self.address('long', answers)} bytes=")
        ]
        assert len(again) == 1
        assert int(again[0].partition("=")[2].rstrip("-")) > 0

    def test_token_is_told_to_nobody(self, answers):
        assert TOKEN.encode() not in answers["everything"]

    def address(self, name: str, answers: dict[str, Any]) -> str:
        return next(r.split()[1] for r in answers["requests"] if f"/{name}/resolve/" in r and WEIGHTS in r)


class TestOffline:
    @pytest.mark.parametrize(
        "offline",
        [
            {"HF_HUB_OFFLINE": "1"},
            pytest.param(
                {"HF_ENDPOINT": "http://127.0.0.1:9"}, marks=pytest.mark.slow
            ),  # its client tries often
        ],
    )
    def test_pull_says_so(self, tmp_path, offline):
        registry = write_registry(tmp_path / "registry.yaml", mine=entry("model"))
        with Hub(tmp_path) as hub:
            child = run(PULL, registry, env=hub.environment(tmp_path / "home") | offline)
            assert hub.requests == []
        message = json.loads(child.stdout)["mine"]["error"]
        assert "cannot be reached: no connection to the hub, or HF_HUB_OFFLINE is set" in message

    def test_nothing_is_downloaded_by_loading(self, tmp_path):
        candidate = Registry.read(write_registry(tmp_path / "r.yaml", mine=entry("model"))).candidate("mine")
        assert not available(candidate)
        with pytest.raises(CandidateError) as caught:
            locate(candidate)
        assert str(caught.value) == (
            "mine: not on this machine; `vaescreen registry pull mine` fetches it (12 MB) from org/model"
        )


def test_removal_from_the_cache_spares_what_lies_outside(tmp_path):
    blobs, snapshot = tmp_path / "models--org--name/blobs", tmp_path / "models--org--name/snapshots/1"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    (blobs / "a").write_text("blob")
    (tmp_path / "mine").write_text("mine")
    (snapshot / "weights").symlink_to("../../blobs/a")
    (snapshot / "linked").symlink_to(tmp_path / "mine")
    for name in ("weights", "linked"):
        discard(snapshot / name)
    assert list(snapshot.iterdir()) == list(blobs.iterdir()) == []
    assert (tmp_path / "mine").read_text() == "mine"


class TestLocalFolder:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        build("AutoencoderKL").save_pretrained(tmp_path / "model")
        return tmp_path / "model"

    def candidate(self, folder: Path, adapter: str = "diffusers", **source: str):
        fields = entry("model", adapter) | {"source": {"path": str(folder), **source}}
        registry = write_registry(folder.parent / "registry.yaml", mine=fields)
        return Registry.read(registry).candidate("mine")

    def test_several_loose_weight_files_are_not_guessed_between(self, folder):
        (folder / "b.safetensors").write_bytes((folder / WEIGHTS).read_bytes())
        (folder / WEIGHTS).rename(folder / "a.safetensors")
        with pytest.raises(CandidateError, match=r"several weight files \(a\.safetensors, b\.safetensors\)"):
            pull(self.candidate(folder))

    def test_several_yaml_files_are_not_guessed_between(self, folder):
        for name in ("a.yaml", "b.yaml"):
            (folder / name).write_text("{}")
        with pytest.raises(
            CandidateError,
            match=r"several YAML files \(a\.yaml, b\.yaml\); name one, such as `--config a.yaml`",
        ):
            locate(self.candidate(folder, "ldm"))
        assert locate(self.candidate(folder, "ldm", config="b.yaml")).config.name == "b.yaml"

    def test_variant(self, folder):
        build("AutoencoderKL").half().save_pretrained(folder, variant="fp16")
        assert locate(self.candidate(folder)).weights.name == WEIGHTS
        chosen = locate(self.candidate(folder, variant="fp16")).weights
        assert chosen.name == "diffusion_pytorch_model.fp16.safetensors"

    @pytest.mark.parametrize(
        ("index", "says"),
        [
            ({"weight_map": {"a": "../../secret.safetensors"}}, "which is no file beside it"),
            ({"weight_map": {"a": "/etc/passwd"}}, "which is no file beside it"),
            ({"weight_map": {"a": "gone.safetensors"}}, "gone.safetensors is missing"),
            ({}, "has no `weight_map`"),
        ],
    )
    def test_index_that_leads_elsewhere(self, folder, index, says):
        (folder / WEIGHTS).unlink()
        (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
        with pytest.raises(CandidateError, match=says):
            locate(self.candidate(folder))

    def test_linear_codecs_need_no_files(self):
        candidate = Registry.load().candidate("pca-f4c3")
        assert available(candidate)
        with pytest.raises(CandidateError, match="has no weights"):
            locate(candidate)


def test_every_repository_of_the_registry_is_pulled_once_and_then_needs_no_network(tmp_path: Path) -> None:
    """Each hub entry of the package with its own options, as a pin or not, and its weights as `.bin` alone."""
    known = {
        name: each for name, each in Registry.load().candidates.items() if isinstance(each.source, HubSource)
    }
    for number, each in enumerate(known.values()):
        config, weights = file_names(each.source, each)
        folder = tmp_path / "root" / each.source.hub / (each.source.subfolder or "")
        for file in (config, weights[0] if len(weights) < 3 or number % 2 else weights[2]):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(file.encode())
    with Hub(tmp_path / "root") as hub:
        entries = {}
        for name, each in known.items():
            source = each.source.model_dump(mode="json", exclude_none=True)
            pinned = re.fullmatch(r"[0-9a-f]{40}", each.source.revision)
            source["revision"] = hub.commit(each.source.hub) if pinned else "main"
            entries[name] = entry("", each.adapter) | {"source": source}
        registry = write_registry(tmp_path / "registry.yaml", **entries)
        first = run(PULL, registry, env=hub.environment(tmp_path / "home"))
        assert first.returncode == 0, first.stderr
        hub.requests.clear()
        offline = hub.environment(tmp_path / "home") | {"HF_HUB_OFFLINE": "1"}
        again = {
            env: run(PULL, registry, env=offline if env else hub.environment(tmp_path / "home"))
            for env in (0, 1)
        }
        assert hub.requests == []
    answers = json.loads(first.stdout)
    assert [name for name, answer in answers.items() if answer["before"] or not answer["after"]] == []
    for each in again.values():
        found = json.loads(each.stdout)
        assert {name: answer["weights"] for name, answer in found.items()} == {
            name: answer["weights"] for name, answer in answers.items()
        }
        assert all(answer["before"] for answer in found.values())
