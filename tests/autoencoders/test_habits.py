"""Weight files as people keep them: the right tensors are taken, or one line says what there is and what to do."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ldm_layout import ldm_config, ldm_network, ldm_state
from safetensors.torch import save_file
from torch import Tensor

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.errors import VaescreenError
from vaescreen.screening.adding import Statement, draft

IMAGES = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
NETWORK = ldm_network()
STATE: dict[str, Tensor] = NETWORK.state_dict()
OTHER = {key: value + 0.1 for key, value in STATE.items()}
CONFIG = {**NETWORK.config, "_class_name": "AutoencoderKL"}
DOCUMENT = ldm_config(NETWORK)


def under(prefix: str, state: Mapping[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def parts() -> dict[str, dict[str, Tensor]]:
    names = ("encoder", "decoder", "quant_conv", "post_quant_conv")
    return {
        name: {
            key.removeprefix(f"{name}."): value for key, value in STATE.items() if key.startswith(f"{name}.")
        }
        for name in names
    }


def opened(path: Path | str, **stated: str) -> Autoencoder:
    return open_autoencoder(draft(str(path), Statement(**stated)))  # type: ignore[arg-type]


def refusal(path: Path) -> str:
    with pytest.raises(VaescreenError) as caught:
        opened(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is_the_network(autoencoder: Autoencoder) -> None:
    with torch.no_grad():
        latents = NETWORK.encode((2 * IMAGES - 1).repeat(1, 3, 1, 1)).latent_dist.mean
    torch.testing.assert_close(autoencoder.encode(IMAGES), latents, atol=1e-6, rtol=0)


def write(
    folder: Path, content: Any, name: str = "last.ckpt", config: Mapping[str, Any] | None = CONFIG
) -> Path:
    """A checkpoint, with its configuration beside it."""
    folder.mkdir(exist_ok=True)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    torch.save(content, folder / name)
    return folder


@pytest.mark.parametrize(
    "content",
    [
        under("ema_model.") | under("model.", OTHER) | {"initted": torch.tensor(True)},
        under("ema_model.") | under("online_model.", OTHER),
        {"state_dict": OTHER, "state_dict_ema": STATE},
        {"net": OTHER, "net_ema": STATE},
        {"g": OTHER, "g_ema": STATE, "d": {"weight": torch.zeros(3)}},
        {"model": OTHER, "model_ema": {"decay": 0.99, "shadow": STATE}},
    ],
    ids=["ema_model", "ema-pytorch", "timm", "net_ema", "StyleGAN", "shadow"],
)
def test_averaged_weights_are_taken(tmp_path: Path, content: Any) -> None:
    assert_is_the_network(opened(write(tmp_path / "vae", content)))


@pytest.mark.parametrize(
    "content",
    [
        under("module._orig_mod."),
        under("_fsdp_wrapped_module."),
        {key.replace("mid_block.", "mid_block._checkpoint_wrapped_module."): v for key, v in STATE.items()},
        {"model": STATE, "step": torch.tensor(4), "loss": torch.tensor(0.3)},
        {
            "state_dict": under("vae.") | {"loss.w": torch.zeros(3)},
            "callbacks": {"a": {"best": torch.tensor(1.0)}},
        },
        {"module": STATE, "optimizer": None, "param_shapes": [{"a": torch.Size([3])}]},
        dict(NETWORK.named_parameters()),
        parts(),
        parts() | {"optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}},
    ],
    ids=[
        "DDP",
        "FSDP",
        "checkpointing",
        "numbers",
        "Lightning",
        "DeepSpeed",
        "parameters",
        "parts",
        "parts, optimizer",
    ],
)
def test_wrappers_and_records_are_seen_through(tmp_path: Path, content: Any) -> None:
    assert_is_the_network(opened(write(tmp_path / "vae", content)))


@pytest.mark.parametrize(
    "name", ["model_best.pth.tar", "MODEL.CKPT", "model.safetensors", "pytorch_model.bin"]
)
def test_a_checkpoint_by_any_name(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "vae", STATE, name)
    for beside in ("optimizer.bin", "scheduler.pt", "training_args.bin"):
        torch.save({"state": {}}, folder / beside)
    assert_is_the_network(opened(folder))


@pytest.mark.parametrize("name", ["MODEL.SAFETENSORS", "model.ckpt"])
def test_safetensors_by_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8-sig")
    save_file(STATE, tmp_path / name)
    assert_is_the_network(opened(tmp_path))


def test_the_first_stage_is_taken_where_the_condition_is_a_network_alike(tmp_path: Path) -> None:
    content = under("cond_stage_model.", OTHER) | under("first_stage_model.")
    assert_is_the_network(opened(write(tmp_path / "vae", content)))


def test_two_networks_in_one_file_are_not_chosen_between(tmp_path: Path) -> None:
    said = refusal(write(tmp_path / "vae", {"student": STATE, "teacher": OTHER}))
    assert (
        "several networks, under `student.` and `teacher.`; save the tensors of the one that is meant" in said
    )
    assert_is_the_network(opened(write(tmp_path / "vae", under("a.") | under("b."))))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda value: (100 * value).to(torch.int8), "of integers or complex numbers"),
        (lambda value: value > 0, "of integers or complex numbers"),
        (lambda value: value.to(torch.complex64), "of integers or complex numbers"),
        (lambda value: value.to_sparse(), r"is sparse \(torch.sparse_coo\); write `to_dense\(\)` of each"),
        (lambda value: value.to("meta"), "has no data"),
        (lambda value: value.numpy(), "holds objects such as NumPy's arrays"),
    ],
    ids=["int8", "bool", "complex", "sparse", "meta", "numpy"],
)
def test_tensors_that_are_no_weights(tmp_path: Path, change: Callable[[Tensor], Any], says: str) -> None:
    folder = write(tmp_path / "vae", {key: change(value) for key, value in STATE.items()})
    with pytest.raises(VaescreenError, match=says):
        opened(folder)


@pytest.mark.parametrize("kind", ["zip", "gztar", "bztar", "xztar"])
def test_packed_folders_are_to_be_unpacked(tmp_path: Path, kind: str) -> None:
    NETWORK.save_pretrained(tmp_path / "vae")
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / "vae")
    assert refusal(Path(packed)).endswith("is an archive; unpack it and give its folder")


def test_other_formats_are_named_and_their_mends_work(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    assert "is arrays of NumPy" in refusal(tmp_path / "arrays.npz")
    file = tmp_path / "program.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), file)
    assert "is a program of torch.export, not weights; save its tensors" in refusal(file)
    torch.save(torch.export.load(file).state_dict, tmp_path / "weights.pt")
    assert sorted(torch.load(tmp_path / "weights.pt")) == ["bias", "weight"]


def test_what_a_folder_has_in_place_of_weights_is_listed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "diffusion_flax_model.msgpack").write_bytes(b"\x81")
    assert "has no weights, but diffusion_flax_model.msgpack" in refusal(tmp_path)


@pytest.mark.parametrize("inside", ["vae", "models/vae", "models--org--name/snapshots/0123"])
def test_a_network_deeper_in_a_folder_is_told_and_the_mend_works(tmp_path: Path, inside: str) -> None:
    NETWORK.save_pretrained(tmp_path / inside)
    assert f"name one with `--subfolder {inside}`" in refusal(tmp_path)
    assert_is_the_network(opened(tmp_path, subfolder=inside))


def test_a_configuration_of_transformers(tmp_path: Path) -> None:
    plain = {key: value for key, value in CONFIG.items() if key != "_class_name"}
    folder = write(tmp_path / "vae", STATE, config=plain | {"architectures": ["AutoencoderKL"]})
    assert_is_the_network(opened(folder))
    of_its_own = {"architectures": ["MyVAE"], "auto_map": {"AutoModel": "modeling.MyVAE"}}
    said = refusal(write(tmp_path / "vae", STATE, config=plain | of_its_own))
    assert "class 'MyVAE' is none of diffusers'" in said
    assert "`vaescreen registry add MODULE:FACTORY`" in said


@pytest.mark.parametrize("attention", [None, []])
def test_yaml_with_tuples_and_nothing(tmp_path: Path, attention: list[int] | None) -> None:
    structure = DOCUMENT["ddconfig"] | {"ch_mult": (1, 2), "attn_resolutions": attention}
    (tmp_path / "hparams.yaml").write_text(yaml.dump(DOCUMENT | {"ddconfig": structure}))
    torch.save({"state_dict": ldm_state(NETWORK)}, tmp_path / "last.ckpt")
    assert "python/tuple" in (tmp_path / "hparams.yaml").read_text()
    assert_is_the_network(opened(tmp_path))


@pytest.mark.parametrize("place", ["file://{}", "{}/", "{}/../vae (1) ü"])
def test_a_folder_by_other_ways_to_write_it(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "vae (1) ü"
    NETWORK.save_pretrained(folder)
    assert_is_the_network(opened(place.format(folder)))
