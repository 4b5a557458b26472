"""Commands: options taken together are declared once and given in one piece, help is laid out, output has a schema."""

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from vaescreen.cli.application import TALK

REQUIRED = inspect.Parameter.empty
DATA, OUTPUT, RUN, CLUSTER = "Data", "Output", "Run", "Cluster"
_CHOICES = "Choices"
_FIRST, _LAST = (DATA, OUTPUT), (RUN, CLUSTER)
_CONTEXT = "ctx"
_EXAMPLES = "Examples\n--------\n"


class Group:
    """Options by name, each with its declaration and default.

    A command's parameter that is annotated `Annotated[dict[str, Any], Group(...)]` stands for all of them.
    """

    def __init__(self, **options: tuple[Any, Any]) -> None:
        self.parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in options.items()
        ]


class Command(TyperCommand):
    """A command whose `--help` stands among the options of its output."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, `--help` as one of a panel, like all others."""
        parameters: list[Any] = [*super().get_params(ctx)]
        for parameter in parameters:
            if parameter.name == "help":
                parameter.rich_help_panel = OUTPUT
        return parameters


class Commands(typer.Typer):
    """Commands whose groups of options are spread, and that can all be told to be quiet."""

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **settings: Any
    ) -> Callable[[Any], Any]:
        """Register a function as a command; its docstring may end in a section of examples, one a line."""

        def spread(function: Any) -> Any:
            text, _, examples = inspect.cleandoc(function.__doc__).partition(_EXAMPLES)
            register = super(Commands, self).command(
                name, cls=cls, help=_paragraphs(text), epilog=_listed(examples), **settings
            )
            register(_spread(function))
            return function

        return spread


def prints(*outputs: Any) -> Callable[[Any], Any]:
    """Say what a command prints as JSON beside the envelope, for `vaescreen schema`.

    Parameters
    ----------
    *outputs
        Types that pydantic has a schema of, of which it prints one: an object, or a list that stands under `rows`; or
        its place as `module:name`, where the module is too heavy to be imported for `--help`.
    """

    def mark(function: Any) -> Any:
        function.outputs = outputs
        return function

    return mark


def _paragraphs(text: str) -> str:
    """Text whose paragraphs are one line each: the terminal breaks them where it ends."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")).strip()


def _listed(examples: str) -> str | None:
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    return "\n\n".join(["Examples:", *lines]) if lines else None


_TALK = Group(
    ctx=(typer.Context, REQUIRED),
    no_progress=(
        Annotated[
            bool,
            typer.Option("--no-progress", help="Say nothing of how far it is.", rich_help_panel=OUTPUT),
        ],
        False,
    ),
    quiet=(
        Annotated[
            bool,
            typer.Option(
                "--quiet", "-q", help="Print results, warnings and errors alone.", rich_help_panel=OUTPUT
            ),
        ],
        False,
    ),
)


_TRUST = Group(
    trust=(
        Annotated[
            list[Path] | None,
            typer.Option(
                metavar="FILE",
                help="Registry file of somebody else whose entries may run code this time.",
                show_default=False,
            ),
        ],
        None,
    )
)
"""What every command takes that reads a registry file."""


def _spread(command: Callable[..., None]) -> Callable[..., None]:
    """Make of a command that takes groups one that takes their options."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Group] = {}
    parameters: list[inspect.Parameter] = []
    taken = inspect.signature(command).parameters
    for parameter in taken.values():
        if parameter.name == _CONTEXT:
            continue
        hint = hints[parameter.name]
        group = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Group)), None)
        if group is None:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            groups[parameter.name] = group
            parameters.extend(group.parameters)
    reads_registry = any(each.name == "registry" for each in parameters)
    parameters.extend([*(_TRUST.parameters if reads_registry else []), *_TALK.parameters])
    parameters = list(_in_panels(parameters))

    @functools.wraps(command)
    def call(*, ctx: typer.Context, no_progress: bool, quiet: bool, **given: Any) -> None:
        _agree(given.pop("trust", None))
        TALK.command = ctx.command_path.partition(" ")[2]
        TALK.progress, TALK.notes = not (no_progress or quiet), not quiet
        whole = {
            name: {each.name: given.pop(each.name) for each in group.parameters}
            for name, group in groups.items()
        }
        command(**given, **whole, **({_CONTEXT: ctx} if _CONTEXT in taken else {}))

    del call.__wrapped__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _in_panels(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter]:
    """Sort options as the help shows them: data and output first, what they are computed on last."""
    panels: dict[str, list[inspect.Parameter]] = {panel: [] for panel in _FIRST}
    for parameter in parameters:
        declared = [
            each
            for each in getattr(parameter.annotation, "__metadata__", ())
            if isinstance(each, typer.models.OptionInfo)
        ]
        for option in declared:
            option.rich_help_panel = option.rich_help_panel or _CHOICES
            panels.setdefault(str(option.rich_help_panel), []).append(parameter)
        if not declared:
            yield parameter
    last = {panel: panels.pop(panel, []) for panel in _LAST}
    for members in (panels | last).values():
        yield from members


def _agree(files: list[Path] | None) -> None:
    if not files:
        return
    from vaescreen.registry.trust import trust_for_this_run

    for file in files:
        trust_for_this_run(file)
