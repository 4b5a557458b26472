"""Options that commands take together: each declared once, spread on the command line, given in one piece."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from vaescreen.cli.application import TALK

REQUIRED = inspect.Parameter.empty
_PANEL = "Output"


class Group:
    """Options by name, each with its declaration and default.

    A command's parameter that is annotated `Annotated[dict[str, Any], Group(...)]` stands for all of them.
    """

    def __init__(self, **options: tuple[Any, Any]) -> None:
        self.parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in options.items()
        ]


class Commands(typer.Typer):
    """Commands whose groups of options are spread, and that can all be told to be quiet."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Register a function as a command."""
        register = super().command(name, **settings)

        def spread(function: Any) -> Any:
            register(_spread(function))
            return function

        return spread


_TALK = Group(
    ctx=(typer.Context, REQUIRED),
    no_progress=(
        Annotated[
            bool,
            typer.Option("--no-progress", help="Say nothing of how far it is.", rich_help_panel=_PANEL),
        ],
        False,
    ),
    quiet=(
        Annotated[
            bool,
            typer.Option(
                "--quiet", "-q", help="Print results, warnings and errors alone.", rich_help_panel=_PANEL
            ),
        ],
        False,
    ),
)


def _spread(command: Callable[..., None]) -> Callable[..., None]:
    """Make of a command that takes groups one that takes their options."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Group] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        group = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Group)), None)
        if group is None:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            groups[parameter.name] = group
            parameters.extend(group.parameters)
    parameters.extend(_TALK.parameters)

    @functools.wraps(command)
    def call(*, ctx: typer.Context, no_progress: bool, quiet: bool, **given: Any) -> None:
        TALK.command = ctx.command_path.partition(" ")[2]
        TALK.progress, TALK.notes = not (no_progress or quiet), not quiet
        whole = {
            name: {each.name: given.pop(each.name) for each in group.parameters}
            for name, group in groups.items()
        }
        command(**given, **whole)

    del call.__wrapped__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call
