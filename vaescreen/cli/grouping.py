"""Options that commands take together: each declared once, spread on the command line, given in one piece."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

REQUIRED = inspect.Parameter.empty


class Group:
    """Options by name, each with its declaration and default.

    A parameter annotated `Annotated[dict[str, Any], Group(...)]` of a command under `grouped` stands for all of them.
    """

    def __init__(self, **options: tuple[Any, Any]) -> None:
        self.parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in options.items()
        ]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Spread the groups that a command takes into options; the command gets each group as one mapping."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Group] = {}
    spread: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        group = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Group)), None)
        if group is None:
            spread.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            groups[parameter.name] = group
            spread.extend(group.parameters)

    @functools.wraps(command)
    def call(**given: Any) -> None:
        whole = {
            name: {each.name: given.pop(each.name) for each in group.parameters}
            for name, group in groups.items()
        }
        command(**given, **whole)

    del call.__wrapped__
    call.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in spread}
    return call
