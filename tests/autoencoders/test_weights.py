"""Hub candidates: fetched only when asked for, then usable offline; every refusal of the hub is one line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hub import Hub

from vaescreen.autoencoders.weights import available, locate, pull
from vaescreen.errors import CandidateError
from vaescreen.registry import Registry

CLIENT = """
import json, sys
from pathlib import Path
from vaescreen.autoencoders.weights import available, locate, pull
from vaescreen.errors import CandidateError
from vaescreen.registry import Registry

candidate = Registry.load(Path(sys.argv[1])).candidate("mine")
answer = {"before": available(candidate)}
try:
    if sys.argv[2] == "pull":
        answer["weights"] = pull(candidate).weights.name
    locate(candidate)
    from vaescreen.autoencoders.networks import load_network

    answer["geometry"] = load_network(candidate).geometry
except CandidateError as error:
    answer["error"] = str(error)
print(json.dumps(answer | {"after": available(candidate)}))
"""
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def registry(tmp_path: Path) -> Callable[..., Path]:
    """Write a registry of one candidate `mine` of geometry f4c4."""

    def write(**source: str) -> Path:
        entry = {
            "adapter": "diffusers",
            "source": {"hub": "org/model", "revision": "main"} | source,
            "geometry": {"channels": 4, "factor": 4},
            "domain": "none",
            "family": "test",
            "licence": "MIT",
            "training_data": "none",
            "size_mb": 12,
        }
        path = tmp_path / "registry.yaml"
        path.write_text(json.dumps({"candidates": {"mine": entry}}))
        return path

    return write


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., dict]:
    """Run `available`, `pull` and `load_network` in a process that talks to the given hub."""

    def run(hub: Hub, registry: Path, action: str = "pull", **environment: str) -> dict:
        child = subprocess.run(
            [sys.executable, "-c", CLIENT, str(registry), action],
            env=hub.environment(tmp_path / "home") | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert child.returncode == 0, child.stderr
        return json.loads(child.stdout)

    return run


class TestPull:
    @pytest.mark.parametrize("network", ["tiny_kl", "tiny_taesd"])
    def test_then_usable_offline(self, tmp_path, request, registry, client, network):
        request.getfixturevalue(network)().save_pretrained(tmp_path / "hub/org/model")
        with Hub(tmp_path / "hub") as hub:
            answer = client(hub, registry())
            assert answer == {"before": False, "weights": WEIGHTS, "geometry": [4, 4], "after": True}
            hub.requests.clear()
            offline = client(hub, registry(), "load", HF_HUB_OFFLINE="1")
            assert offline == {"before": True, "geometry": [4, 4], "after": True}
            assert hub.requests == []

    def test_subfolder_and_pinned_revision(self, tmp_path, tiny_kl, registry, client):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model/vae")
        (tmp_path / "hub/org/model/unet.safetensors").write_bytes(bytes(1000))
        with Hub(tmp_path / "hub") as hub:
            commit = hub.commit("org/model")
            assert client(hub, registry(subfolder="vae", revision=commit))["geometry"] == [4, 4]
            assert not any("unet" in request for request in hub.requests)

    def test_falls_back_to_a_pickle_of_tensors(self, tmp_path, tiny_kl, registry, client):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model", safe_serialization=False)
        with Hub(tmp_path / "hub") as hub:
            assert client(hub, registry())["weights"] == "diffusion_pytorch_model.bin"

    def test_continues_after_a_cut_connection(self, tmp_path, tiny_kl, registry, client):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model")
        name = f"org/model/{WEIGHTS}"
        with Hub(tmp_path / "hub", cut={name: 1000}) as hub:
            answer = client(hub, registry())
            assert "mine: org/model could not be fetched" in answer["error"]
            assert not answer["after"]
        with Hub(tmp_path / "hub") as hub:
            assert client(hub, registry())["geometry"] == [4, 4]


class TestRefusals:
    def test_nothing_is_downloaded_by_loading(self, tmp_path, tiny_kl, registry, client):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model")
        with Hub(tmp_path / "hub") as hub:
            answer = client(hub, registry(), "load")
            assert answer["error"] == (
                "mine: not on this machine; `vaescreen registry pull mine` fetches it (12 MB) from org/model"
            )
            assert hub.requests == []

    @pytest.mark.parametrize("environment", [{}, {"HF_TOKEN": "hf_test"}])
    def test_gated(self, tmp_path, tiny_kl, registry, client, environment):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model")
        with Hub(tmp_path / "hub", gated=frozenset({"org/model"})) as hub:
            answer = client(hub, registry(), **environment)
        assert "org/model is gated; accept its licence at https://huggingface.co/org/model" in answer["error"]

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ({"hub": "org/none"}, "org/none is not on the hub"),
            ({"revision": "v9"}, "org/model has no revision 'v9'"),
            (
                {"subfolder": "vae"},
                "org/model has no config.json with diffusion_pytorch_model.safetensors in vae",
            ),
        ],
    )
    def test_missing(self, tmp_path, tiny_kl, registry, client, source, says):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model")
        with Hub(tmp_path / "hub") as hub:
            assert says in client(hub, registry(**source))["error"]

    def test_no_connection(self, tmp_path, registry, client):
        with Hub(tmp_path) as hub:
            answer = client(hub, registry(), HF_HUB_OFFLINE="1")
            assert "cannot be reached: no connection to the hub, or HF_HUB_OFFLINE is set" in answer["error"]

    def test_html_page_in_place_of_the_weights(self, tmp_path, tiny_kl, registry, client):
        tiny_kl().save_pretrained(tmp_path / "hub/org/model")
        (tmp_path / "hub/org/model" / WEIGHTS).write_text("<!doctype html><p>Please log in</p>")
        with Hub(tmp_path / "hub") as hub:
            assert "is an HTML page" in client(hub, registry())["error"]


class TestLocalFolder:
    def test_several_loose_weight_files_are_not_guessed_between(self, tmp_path, tiny_kl, registry):
        tiny_kl().save_pretrained(tmp_path / "model")
        shutil.copy(tmp_path / "model" / WEIGHTS, tmp_path / "model/b.safetensors")
        (tmp_path / "model" / WEIGHTS).rename(tmp_path / "model/a.safetensors")
        path = registry()
        entry = json.loads(path.read_text())
        entry["candidates"]["mine"]["source"] = {"path": "model"}
        path.write_text(json.dumps(entry))
        candidate = Registry.load(path).candidate("mine")
        with pytest.raises(CandidateError, match=r"several weight files \(a\.safetensors, b\.safetensors\)"):
            pull(candidate)

    def test_linear_codecs_need_no_files(self):
        candidate = Registry.load().candidate("pca-f4c3")
        assert available(candidate)
        with pytest.raises(CandidateError, match="has no weights"):
            locate(candidate)
