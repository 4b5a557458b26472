"""From a configuration and tensors in diffusers' terms to a network, every weight of which fits."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from vaescreen.autoencoders.classes import CLASSES
from vaescreen.autoencoders.key_names import inner
from vaescreen.autoencoders.published.table import PUBLISHED
from vaescreen.errors import CandidateError

_OF_TRAINING = ("loss.", "discriminator.", "model_ema.", "ema.", "lpips.", "perceptual_loss.", "logvar")
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class Built(NamedTuple):
    """A network, and the names of tensors of its file that are none of its."""

    network: Any
    left_out: list[str]


def build(config: dict[str, Any], state: Mapping[str, Tensor], name: str) -> Built:
    """Network of class `config["_class_name"]` with the weights `state`, and names of tensors that are none of its.

    Those of a training (its losses, a second set that is averaged) may be left out, and so may all beside the prefix
    under which the network's lie.

    Raises
    ------
    CandidateError
        If the class is not supported, the configuration builds no network, or weights are missing, left over
        or of another shape.
    """
    model = _construct(config, name)
    state = {_current_key(key): value for key, value in state.items()}
    state, beside = inner(state, model.state_dict(), name)
    patterns = getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()
    ignored = [re.compile(pattern) for pattern in patterns]
    wanted = model.state_dict()
    state = {k: v for k, v in state.items() if k in wanted or not any(i.search(k) for i in ignored)}
    left = [key for key in state if key not in wanted and key.startswith(_OF_TRAINING)]
    state = {key: value for key, value in state.items() if key not in left}
    _check_fit(state, wanted, name)
    model.load_state_dict(state)
    return Built(model, [*beside, *left])


def class_name_of(config: Mapping[str, Any], name: str) -> str:
    """Class of network that a configuration names.

    Raises
    ------
    CandidateError
        If it names none.
    """
    class_name = config.get("_class_name") or next(iter(config.get("architectures") or ()), None)
    if class_name is None:
        raise CandidateError(
            f"{name}: its configuration has no `_class_name`, which says what network it is; write it in, such as "
            '`"_class_name": "AutoencoderKL"`'
        )
    return str(class_name).rpartition(".")[2]  # some write the whole path


def _construct(config: dict[str, Any], name: str) -> Any:
    class_name = class_name_of(config, name)
    if class_name in PUBLISHED:
        return PUBLISHED[class_name].build(config)
    if class_name not in CLASSES:
        raise CandidateError(
            f"{name}: class {class_name!r} is none of diffusers' that encodes one image; a network of your own code "
            "joins as `vaescreen registry add MODULE:FACTORY`"
        )
    package = CLASSES[class_name].needs
    if package is not None and importlib.util.find_spec(package) is None:
        raise CandidateError(f"{name}: {class_name} needs {package}; `pip install vaescreen[{package}]`")
    import diffusers

    cls = getattr(diffusers, class_name, None)
    if cls is None:
        raise CandidateError(
            f"{name}: diffusers {diffusers.__version__} has no {class_name}; install a newer one"
        )
    try:
        return cls.from_config(config | {"_class_name": class_name})
    except Exception as error:  # a wrong value may fail anywhere in the construction
        reason = " ".join(str(error).split())[:150]
        raise CandidateError(
            f"{name}: its configuration does not build an {class_name} ({reason})"
        ) from error


def _current_key(key: str) -> str:
    """Name of a weight today; SD-era checkpoints call the attention projections by older names."""
    stem, _, kind = key.rpartition(".")
    block, _, layer = stem.rpartition(".")
    if ".attentions." in block and layer in _OLD_ATTENTION:
        return f"{block}.{_OLD_ATTENTION[layer]}.{kind}"
    return key


def _check_fit(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], name: str) -> None:
    problems = {
        "missing": [key for key in wanted if key not in state],
        "unexpected": [key for key in state if key not in wanted],
        "of another shape": [k for k in wanted if k in state and wanted[k].shape != state[k].shape],
        "of integers or complex numbers": [
            k for k in wanted if k in state and wanted[k].is_floating_point() > state[k].is_floating_point()
        ],
    }
    listed = [f"{len(keys)} {what} (such as {keys[0]})" for what, keys in problems.items() if keys]
    if listed:
        raise CandidateError(f"{name}: its weights do not fit its configuration: {', '.join(listed)}")
