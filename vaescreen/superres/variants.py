"""Variants of a recipe for ablations: a few choices changed, and a name that says which."""

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_type_hints

from vaescreen.errors import DataError, RecipeError
from vaescreen.images.degradation import Degradation
from vaescreen.images.degradation_names import degradation_named
from vaescreen.superres.networks import NETWORKS, Network
from vaescreen.superres.recipe import WORDS, Recipe

SHIFTS = 15
"""Levels of the chain that ResShift was published with."""
_FIXED = {"name", "version"}
_SWITCH = {"true": True, "false": False}


def vary(recipe: Recipe, **changes: Any) -> Recipe:
    """Give a variant for an ablation, whose name says what changed: `compact+objective=v`.

    What a choice cannot be without changes with it: flow takes the straight schedule and Euler's sampler, what
    was flow takes the cosine schedule; residual-shift takes the chain of ResShift, from the upsampled image's latent
    to the whole HR latent; regression takes one step without noise; a transformer takes whole images; samples and
    epochs exclude each other.

    Parameters
    ----------
    recipe
        What to change.
    changes
        New values by field, as they are or as texts; `network` takes a name of `NETWORKS`, and of several
        things in `conditioning` the names are joined by `_`; `degradation` takes a name such as
        `kspace-x4-rician0.02` (see `degradation_named`).

    Raises
    ------
    RecipeError
        If a field or value is unknown, or the variant makes no sense.
    """
    values = {field: _value(recipe, field, value) for field, value in changes.items()}
    follow = _following(recipe, values["objective"]) if "objective" in values else {}
    if getattr(values.get("network"), "kind", None) == "transformer":
        follow["crop"] = values.get("size", recipe.size)
    if values.get("epochs") is not None:
        follow["samples"] = None
    elif values.get("samples") is not None:
        follow["epochs"] = None
    said = "".join(f"+{field}={_text(value)}" for field, value in values.items())
    return replace(recipe, **{"name": recipe.name + said, **follow, **values})


def _following(recipe: Recipe, objective: str) -> dict[str, Any]:
    """Choices that an objective cannot be without, and what stands for those that the recipe's own needed."""
    mean = recipe.sampler == "posterior-mean"
    plain = {"preconditioning": "none"}
    match objective:
        case recipe.objective:
            return {}
        case "flow":
            return plain | {"schedule": "straight"} | ({} if mean else {"sampler": "euler"})
        case "residual-shift":
            chain = {} if mean else {"sampler": "residual-shift", "sampler_steps": SHIFTS}
            return plain | {"target": "latent", "schedule": "geometric", "noise_levels": SHIFTS} | chain
        case "regression":
            return plain | {
                "schedule": "cosine",
                "noise_levels": 1,
                "sampler": "posterior-mean",
                "sampler_steps": 1,
            }
        case _:
            return plain | ({"schedule": "cosine"} if recipe.objective == "flow" else {})


def _value(recipe: Recipe, field: str, value: Any) -> Any:
    """Turn a text into a value of the field's type; other values are taken as they are."""
    types = {name: kind for name, kind in get_type_hints(Recipe).items() if name not in _FIXED}
    if field not in types:
        near = difflib.get_close_matches(field, types, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; choose from {', '.join(sorted(types))}"
        raise RecipeError(f"recipe {recipe.name} has no choice called {field!r}{hint}")
    if not isinstance(value, str):
        return value
    if field in _READ:
        return _READ[field](value)
    if field in WORDS:
        return value
    try:
        if types[field] is bool:
            return _SWITCH[value.lower()]
        return float(value) if types[field] is float else int(value)
    except (KeyError, ValueError) as error:
        raise RecipeError(f"recipe {recipe.name}: {field} cannot be {value!r}") from error


def _network(name: str) -> Network:
    if name not in NETWORKS:
        raise RecipeError(f"unknown network {name!r}; choose from {', '.join(NETWORKS)}")
    return NETWORKS[name]


def _conditioning(names: str) -> tuple[str, ...]:
    return tuple(names.split("_"))


def _degradation(name: str) -> Degradation:
    try:
        return degradation_named(name)
    except DataError as error:
        raise RecipeError(str(error)) from error


_READ: dict[str, Callable[[str], Any]] = {
    "network": _network,
    "conditioning": _conditioning,
    "degradation": _degradation,
}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "_".join(value)
    return value.name if isinstance(value, Network | Degradation) else str(value)
