"""From a configuration and tensors in diffusers' terms to a network, every weight of which fits."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from vaescreen.autoencoders.classes import CLASSES
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.published.table import PUBLISHED
from vaescreen.errors import CandidateError

_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def build(config: dict[str, Any], state: Mapping[str, Tensor], name: str) -> Any:
    """Network of class `config["_class_name"]` with the weights `state`.

    Raises
    ------
    CandidateError
        If the class is not supported, the configuration builds no network, or weights are missing, left over
        or of another shape.
    """
    model = _construct(config, name)
    state = {_current_key(key): value for key, value in state.items()}
    patterns = getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()
    ignored = [re.compile(pattern) for pattern in patterns]
    wanted = model.state_dict()
    state = {k: v for k, v in state.items() if k in wanted or not any(i.search(k) for i in ignored)}
    _check_fit(state, wanted, name)
    model.load_state_dict(state)
    return model


def _construct(config: dict[str, Any], name: str) -> Any:
    class_name = config.get("_class_name")
    if class_name in PUBLISHED:
        return PUBLISHED[class_name].build(Geometry(*config["geometry"]))
    if class_name not in CLASSES:
        raise CandidateError(
            f"{name}: class {class_name!r} is none that encodes one image; "
            "a network of your own joins as `adapter: module`"
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
        return cls.from_config(config)
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
    }
    listed = [f"{len(keys)} {what} (such as {keys[0]})" for what, keys in problems.items() if keys]
    if listed:
        raise CandidateError(f"{name}: its weights do not fit its configuration: {', '.join(listed)}")
