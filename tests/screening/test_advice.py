"""What messages advise works: each is provoked, and what it says in backticks is done."""

import ast
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch
import yaml
from hub import Hub
from ldm_layout import ldm_config, ldm_network, ldm_state
from small_networks import build
from typer.testing import CliRunner

import vaescreen
from vaescreen.autoencoders import building, open_autoencoder
from vaescreen.autoencoders.classes import NetworkClass
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.published.strided import StridedAutoencoder
from vaescreen.autoencoders.scaling import unscaled
from vaescreen.autoencoders.weights import locate
from vaescreen.cli import app
from vaescreen.errors import CandidateError, RegistryError, VaescreenError
from vaescreen.registry.candidate import Candidate, Input
from vaescreen.registry.catalogue import DATA, Registry, make_candidate
from vaescreen.registry.editing import add_entry
from vaescreen.registry.settings import Settings
from vaescreen.registry.sources import HubSource
from vaescreen.screening.adding import Statement, draft
from vaescreen.screening.doctor import Finding, Status, examine

ROOT = Path(vaescreen.__file__).parent
ROOMS = (
    "autoencoders/**/*.py",
    "registry/*.py",
    "screening/doctor/*.py",
    "screening/adding.py",
    "screening/origin.py",
)


def messages() -> set[str]:
    """All text in backticks that advises something: a command, an option, or lines of an entry."""
    found = set()
    for pattern in ROOMS:
        for file in ROOT.glob(pattern):
            tree = ast.parse(file.read_text())
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if id(node) not in told:
                    found |= set(re.findall("`([^`]+)`", _text(node)))
    return {
        each for each in found if not each.endswith(":") and (" " in each or each.startswith(("--", "{")))
    }


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" not in node.value:
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = node.values
        return "".join(
            p.value if isinstance(p, ast.Constant) else f"{{{ast.unparse(p.value)}}}" for p in parts
        )
    return ""


def advised(provoke: Callable[[], object]) -> str:
    """What the message of an error has in backticks, last."""
    with pytest.raises(VaescreenError) as caught:
        provoke()
    assert "\n" not in str(caught.value)
    return re.findall("`([^`]+)`", str(caught.value))[-1]


def run(command: str) -> str:
    """Run an advised command line of vaescreen."""
    words, environment = shlex.split(command), {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    assert words.pop(0) == "vaescreen"
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code != 2, result.stderr  # no such command or option
    return result.stdout + result.stderr


def options(text: str) -> Statement:
    """Advised options of `registry add` as they reach it."""
    words = shlex.split(text)
    return Statement(
        **{key.removeprefix("--"): value for key, value in zip(words[::2], words[1::2], strict=True)}
    )


def entry(**fields: object) -> Candidate:
    known = {"domain": "none", "family": "test", "licence": "MIT", "training_data": "none"}
    return Candidate.model_validate(
        {"name": "mine", **known, "geometry": {"channels": 4, "factor": 4}, **fields}
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without a network, a cache or the packages of extras."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setitem(sys.modules, "medvae", None)
    monkeypatch.setitem(sys.modules, "medvae.models", None)
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(place: Path) -> Path:
    build("AutoencoderKL").save_pretrained(place / "vae")
    return place / "vae" / "config.json"


def another_class(place: Path) -> None:
    saved(place).write_text('{"_class_name": "MyVAE"}')
    advice = advised(lambda: draft("vae", Statement()))
    code = "def make():\n    from small_networks import build\n    return build('AutoencoderKL')\n"
    (place / "my_own.py").write_text(code)
    command = advice.replace("MODULE:FACTORY", "my_own:make")
    assert "refused (fidelity)" in run(f"{command} --size 64")  # opened: its weights are random


def network_inside(place: Path) -> None:
    code = (
        "from small_networks import build\nfrom torch import nn\n\n"
        "def pipeline():\n    whole = nn.Module()\n    whole.vae = build('AutoencoderKL')\n    return whole\n"
    )
    (place / "whole.py").write_text(code)
    inside = advised(lambda: draft("whole:pipeline", Statement()))
    (place / "part.py").write_text(
        f"from whole import pipeline\n\ndef part():\n    return pipeline().{inside}\n"
    )
    assert draft("part:part", Statement()).geometry == (4, 4)


def mean_and_variance(place: Path) -> None:
    code = """
from small_networks import build
from diffusers import AutoencoderKL

class Moments(AutoencoderKL):
    def encode(self, x):
        moments = self.quant_conv(self.encoder(x))
        return GIVEN

def make():
    network = build("AutoencoderKL")
    network.__class__ = Moments
    return network
"""
    (place / "moments.py").write_text(code.replace("GIVEN", "moments"))
    advice = advised(lambda: draft("moments:make", Statement()))
    (place / "means.py").write_text(code.replace("GIVEN", advice))
    assert draft("means:make", Statement()).geometry == (4, 4)


def the_class_name(place: Path) -> None:
    config = saved(place)
    fields = json.loads(config.read_text())
    del fields["_class_name"]
    config.write_text(json.dumps(fields))
    advice = advised(lambda: draft("vae", Statement()))
    config.write_text(json.dumps(fields | json.loads(f"{{{advice}}}")))
    assert draft("vae", Statement()).geometry == (4, 4)


def a_package(place: Path) -> None:
    advice = advised(lambda: building.build({"_class_name": "AutoencoderRAE"}, {}, "mine"))
    assert advice.removeprefix("pip install ") in extras()


def extras() -> set[str]:
    """What `pip install` can be told to install with the package."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    return {f"{project['name']}[{extra}]" for extra in project["optional-dependencies"]}


def without_medvae(place: Path) -> None:
    model = ldm_network(levels=3)
    (place / "config.yaml").write_text(yaml.safe_dump(ldm_config(model)))
    torch.save(ldm_state(model), place / "model.ckpt")
    fields = {"source": {"path": str(place)}, "geometry": {"channels": 3, "factor": 4}}
    with pytest.raises(CandidateError) as caught:
        open_autoencoder(entry(**fields, adapter="medvae"))
    package, adapter = re.findall("`([^`]+)`", str(caught.value))
    assert package.removeprefix("pip install ") in extras()
    assert open_autoencoder(entry(**fields, **yaml.safe_load(adapter))).geometry == (3, 4)


def whole_network(place: Path) -> None:
    saved(place)
    torch.save(torch.nn.Conv2d(1, 1, 1), "vae/whole.pt")
    advice = advised(lambda: draft("vae", Statement(weights="whole.pt")))
    exec(advice, {"torch": torch, "network": build("AutoencoderKL"), "FILE": "vae/mine.pt"})
    assert draft("vae", Statement(weights="mine.pt")).geometry == (4, 4)


def torch_script(place: Path) -> None:
    saved(place)
    torch.jit.save(torch.jit.script(torch.nn.Conv2d(1, 1, 1)), "vae/script.pt")
    advice = advised(lambda: draft("vae", Statement(weights="script.pt")))
    exec(advice, {"torch": torch, "FILE": "vae/script.pt", "OTHER": "vae/tensors.pt"})
    assert sorted(torch.load("vae/tensors.pt", weights_only=True)) == ["bias", "weight"]


def exported(place: Path) -> None:
    saved(place)
    program = torch.export.export(torch.nn.Conv2d(1, 1, 1), (torch.zeros(1, 1, 2, 2),))
    torch.export.save(program, "vae/program.pt2")
    (place / "vae/program.pt2").rename("vae/program.pt")
    advice = advised(lambda: draft("vae", Statement(weights="program.pt")))
    exec(advice, {"torch": torch, "FILE": "vae/program.pt", "OTHER": "vae/tensors.pt"})
    assert sorted(torch.load("vae/tensors.pt", weights_only=True)) == ["bias", "weight"]


def deeper(place: Path) -> None:
    build("AutoencoderKL").save_pretrained(place / "models/last")
    advice = advised(lambda: draft("models", Statement()))
    assert advice == "--subfolder last"
    assert draft("models", options(advice)).geometry == (4, 4)


def no_configuration(place: Path) -> None:
    saved(place).rename("vae/other.json")
    advice = advised(lambda: draft("vae/diffusion_pytorch_model.safetensors", Statement()))
    assert advice == "--config"
    assert draft("vae", options("--config other.json")).geometry == (4, 4)
    assert advised(lambda: draft("vae", options("--config gone.json"))) == "--config"


def in_a_subfolder(place: Path) -> None:
    build("AutoencoderKL").save_pretrained(place / "pipe" / "vae")
    (place / "pipe" / "model_index.json").write_text("{}")
    assert draft("pipe", options(advised(lambda: draft("pipe", Statement())))).geometry == (4, 4)
    (place / "pipe" / "model_index.json").unlink()
    (place / "pipe" / "vae" / "config.json").unlink()
    model = ldm_network(levels=3)
    (place / "pipe" / "vae" / "stage.yaml").write_text(yaml.safe_dump(ldm_config(model)))
    torch.save(ldm_state(model), place / "pipe" / "vae" / "stage.ckpt")
    (place / "pipe" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert draft("pipe", options(advised(lambda: draft("pipe", Statement())))).geometry == (3, 4)


def several(place: Path) -> None:
    model = ldm_network(levels=3)
    (place / "ldm").mkdir()
    for name in ("a", "b"):
        (place / "ldm" / f"{name}.yaml").write_text(yaml.safe_dump(ldm_config(model)))
        torch.save(ldm_state(model), place / "ldm" / f"{name}.ckpt")
    config = advised(lambda: draft("ldm", Statement()))
    assert config.startswith("--config")
    weights = advised(lambda: draft("ldm", options(config)))
    assert weights.startswith("--weights")
    assert draft("ldm", options(f"{config} {weights}")).geometry == (3, 4)


def one_size(place: Path) -> None:
    description = replace(GRAY, fixed_size=lambda _: 64)

    def opened(settings: Settings) -> NetworkAutoencoder:
        return NetworkAutoencoder(Keeps(), "mine", "-", settings=settings, description=description)

    images = torch.rand(1, 1, 96, 96)
    advice = advised(lambda: opened(Settings()).encode(images))
    settings = Settings(**yaml.safe_load(advice)["settings"])
    torch.testing.assert_close(opened(settings).encode(images), 2 * images - 1)


def no_convolution(place: Path) -> None:
    code = "import torch\n\nclass Flat(torch.nn.Identity):\n    encode = decode = torch.nn.Identity.forward\n"
    (place / "flat.py").write_text(code)
    fields = {"adapter": "module", "source": {"module": "flat:Flat", "folder": str(place)}}
    fields["geometry"] = {"channels": 3, "factor": 1}
    advice = advised(lambda: open_autoencoder(entry(**fields)))
    assert open_autoencoder(entry(**fields, **yaml.safe_load(advice))).geometry == (3, 1)


def not_here(place: Path) -> None:
    known = entry(adapter="diffusers", source={"hub": "org/name", "revision": "main"})
    add_entry(place / "registry.yaml", known)
    assert "org/name cannot be reached" in run(advised(lambda: locate(known)))


def on_a_page_of_its_own(place: Path) -> None:
    known = entry(adapter="ldm", source={"download": "https://example.org/a.zip"})
    advice = advised(lambda: locate(known))
    model = ldm_network(levels=3)
    (place / "FOLDER").mkdir()
    (place / "FOLDER/config.yaml").write_text(yaml.safe_dump(ldm_config(model)))
    torch.save(ldm_state(model), place / "FOLDER/model.ckpt")
    assert "mine: refused (fidelity)" in run(f"{advice} --size 64")  # opened: its weights are random


def damaged(place: Path) -> None:
    """Weights in the cache that are a page: pulling removes them and asks the hub again."""
    snapshot = place / "hub/models--org--name/snapshots" / ("0" * 40)
    shutil.copytree(saved(place).parent, snapshot)
    weights = snapshot / "diffusion_pytorch_model.safetensors"
    weights.write_text("<html>")
    known = entry(adapter="diffusers", source={"hub": "org/name", "revision": "0" * 40})
    add_entry(place / "registry.yaml", known)
    assert "org/name cannot be reached" in run(advised(lambda: open_autoencoder(known)))
    assert not weights.exists()


def a_name_that_is_taken(place: Path) -> None:
    file = place / "registry.yaml"
    for known in (
        entry(adapter="linear", source={"basis": "dct"}),
        DATA.make("mine", {"title": "x", "domain": "chest", "source": {"path": "/x"}, "licence": "x"}),
    ):
        add_entry(file, known)
        assert "mine: removed from" in run(advised(lambda known=known: add_entry(file, known)))
        add_entry(file, known)


def an_unknown_name(place: Path) -> None:
    known = Registry.load()
    assert "pca-f4c4" in run(advised(lambda: known.candidate("qqqqqq")))
    assert "mrnet" in run(advised(lambda: known.data_set("qqqqqq")))


def another_geometry(place: Path) -> None:
    network = build("AutoencoderKL")
    images = torch.rand(2, 1, 64, 64)

    def examined(geometry: dict[str, int]) -> str:
        opened = NetworkAutoencoder(network, "mine", "-")
        stated = entry(adapter="linear", source={"basis": "dct"}, geometry=geometry).geometry
        found = examine("mine", stated, lambda _: opened, images).findings
        return next(str(each.mend) for each in found if each.check == "channels")

    advice = re.findall("`([^`]+)`", examined({"channels": 8, "factor": 8}))[0]
    assert examined(yaml.safe_load(advice)["geometry"]) == "None"


class Keeps(torch.nn.Identity):
    """Keeps every pixel."""

    encode = decode = torch.nn.Identity.forward


GRAY = NetworkClass(
    factor=lambda _: 1, latent_channels=lambda _: 1, image_channels=lambda _: 1, native=unscaled
)


def overflow_in_half_precision(place: Path) -> None:
    class Overflows(Keeps):
        def decode(self, z: torch.Tensor) -> torch.Tensor:
            return z * 1e4 * 1e4 / 1e8

    def opened(settings: Settings) -> NetworkAutoencoder:
        return NetworkAutoencoder(Overflows(), "mine", "-", settings=settings, description=GRAY)

    latents = torch.ones(1, 1, 8, 8)
    advice = advised(lambda: opened(Settings(dtype="float16")).decode(latents, (8, 8)))
    settings = Settings(**yaml.safe_load(advice)["settings"])
    torch.testing.assert_close(opened(settings).decode(latents, (8, 8)), latents)


def another_range(place: Path) -> None:
    class Clamps(Keeps):
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x.clamp(0, 1)

    images = torch.nn.functional.interpolate(torch.rand(2, 1, 8, 8), size=(64, 64), mode="bilinear")

    def examined(settings: Settings) -> Finding:
        report = examine(
            "mine",
            Geometry(1, 1),
            lambda chosen: NetworkAutoencoder(Clamps(), "mine", "-", settings=chosen, description=GRAY),
            images,
            settings=settings,
        )
        return next(finding for finding in report.findings if finding.check == "value range")

    advice = re.findall("`([^`]+)`", str(examined(Settings()).mend))[0]
    assert examined(Settings(**yaml.safe_load(advice)["settings"])).status is Status.OK


def known_weights(place: Path) -> None:
    (place / "there").mkdir()
    torch.save(StridedAutoencoder().state_dict(), place / "there" / "autoencoder.pth")
    data = (place / "there" / "autoencoder.pth").read_bytes()
    file = {"path": "autoencoder.pth", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    source = {"github": "a/b", "revision": "0" * 40, "network": "strided", "files": [file]}
    add_entry(
        place / "registry.yaml",
        entry(adapter="published", source=source, geometry={"channels": 10, "factor": 16}),
    )
    assert "mine: refused" in run(advised(lambda: draft("there", Statement())) + " --size 64")


def edited_by_commands(place: Path) -> None:
    for command in ("registry add", "registry remove", "data add", "data remove"):
        assert "Usage" in run(f"vaescreen {command} --help")


def other_names_on_the_hub(place: Path) -> None:
    repository = place / "root/org/odd"
    build("AutoencoderKL").save_pretrained(repository)
    (repository / "diffusion_pytorch_model.safetensors").rename(repository / "odd.safetensors")
    with Hub(place / "root") as hub:

        def add(*more: str) -> str:
            command = [sys.executable, "-m", "vaescreen", "registry", "add", "org/odd", "--size", "64", *more]
            environment = hub.environment(place / "home")
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            return done.stderr

        advice = re.findall("`([^`]+)`", add())[-1]
        assert advice == "--weights odd.safetensors"
        assert "refused (fidelity)" in add(*shlex.split(advice))  # opened: its weights are random


SCENES: dict[str, tuple[Callable[[Path], None], ...]] = {
    "vaescreen registry add MODULE:FACTORY": (another_class,),
    "{inside}": (network_inside,),
    "moments.chunk(2, dim=1)[0]": (mean_and_variance,),
    '"_class_name": "AutoencoderKL"': (the_class_name,),
    "pip install vaescreen[{package}]": (a_package,),
    "pip install vaescreen[medvae]": (without_medvae,),
    "adapter: ldm": (without_medvae,),
    "torch.save(network.state_dict(), FILE)": (whole_network,),
    "torch.save(torch.jit.load(FILE).state_dict(), OTHER)": (torch_script,),
    "torch.save(torch.export.load(FILE).state_dict, OTHER)": (exported,),
    "--config": (no_configuration,),
    "--subfolder {inside}": (in_a_subfolder,),
    "--subfolder {whole[0].parent.relative_to(folder)}": (deeper,),
    "{options}": (in_a_subfolder,),
    "--config {found[0].name}": (several,),
    "--weights {found[0].name}": (several,),
    "{hint}": (other_names_on_the_hub,),
    "settings: {tile: {side}}": (one_size,),
    "input: {channels: 3, multiple: {candidate.geometry.factor}}": (no_convolution,),
    "vaescreen registry pull {name}": (not_here, damaged),
    "vaescreen registry add FOLDER --adapter {candidate.adapter} --name {name}": (on_a_page_of_its_own,),
    "{_COMMANDS[section.key]} {entry.name}": (a_name_that_is_taken,),
    "vaescreen {command} list": (an_unknown_name,),
    "vaescreen registry add": (edited_by_commands,),
    "vaescreen data add": (edited_by_commands,),
    "geometry: {channels: {channels}, factor: {factor}}": (another_geometry,),
    "settings: {dtype: float32}": (overflow_in_half_precision,),
    "settings: {{settings}}": (another_range,),
    "{WEIGHTS_FOLDER}={folder} vaescreen registry check {candidate.name}": (known_weights,),
}
NOT_RUN = {
    "git lfs pull": "asks the server that a repository was cloned from",
    "{prefix}": "names a group of tensors and advises nothing",
}


def test_every_advice_has_its_scene() -> None:
    assert messages() == {*SCENES, *NOT_RUN}


@pytest.mark.parametrize("scene", dict.fromkeys(chain(*SCENES.values())), ids=lambda scene: scene.__name__)
def test_what_is_advised_works(scene: Callable[[Path], None], place: Path) -> None:
    scene(place)


def test_no_message_is_that_of_a_schema_library(place: Path) -> None:
    """Every field of an entry, wrong in every type that YAML has: none of pydantic's own words comes through."""
    values = ("", "x y/..", 0, -1, 1.5, float("nan"), True, None, [], ["x"], [1, 2, 3], {}, {"x": 1})
    plain = entry(adapter="diffusers", source={"hub": "a/b", "revision": "main"}).entry(place)
    nested = {"source": HubSource, "input": Input, "settings": Settings}
    places = [(field,) for field in Candidate.model_fields if field != "name"]
    places += [(part, field) for part, model in nested.items() for field in model.model_fields]
    places += [("geometry", "channels"), ("geometry", "factor")]
    told = []
    for where in places:
        for value in values:
            fields = json.loads(json.dumps(plain))
            inner = fields if len(where) == 1 else fields.setdefault(where[0], {})
            inner[where[-1]] = value
            try:
                make_candidate("mine", fields)
            except RegistryError as error:
                told.append(str(error))
    assert len(told) > 100
    assert [message for message in told if RAW.search(message) or "\n" in message] == []


RAW = re.compile(
    r"Input should|validation error|pydantic|type=|Value error|_type|_parsing|String should|errors\."
)
