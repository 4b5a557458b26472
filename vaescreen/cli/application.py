"""What every command has in common: errors in one line, exit codes, an answer to Ctrl-C."""

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vaescreen.errors import VaescreenError, visible

INTERRUPTED = 130


class Application(TyperGroup):
    """Root command: a mendable error is one line on stderr and exit code 1; anything else is a bug.

    Every command that reads a registry file takes `--trust FILE` as well.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _offer_trust(self)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the chosen command."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(
                errors="backslashreplace"
            )  # a name that the terminal cannot show is no failure
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except VaescreenError as error:
            complain(f"error: {error}")
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever reads has enough
                raise
            complain(f"error: {error.filename or 'standard output'}: {error.strerror or error}")
            _forget_unwritten()
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            complain("interrupted; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from interrupt
        return answer


def _offer_trust(command: Any) -> None:
    """Give `--trust FILE` to all commands with `--registry FILE`."""
    for each in getattr(command, "commands", {}).values():
        _offer_trust(each)
    if any("--registry" in parameter.opts for parameter in command.params):
        command.params.append(_trust_option())


def _trust_option() -> Any:
    """The option as typer makes it; its callback does all, so that commands need not take its value."""
    carrier = typer.Typer()
    carrier.command()(_trust)
    (option,) = (each for each in typer.main.get_command(carrier).params if each.name == "trust")
    option.expose_value = False
    return option


def _agree(files: list[Path] | None) -> list[Path] | None:
    from vaescreen.registry.trust import trust_for_this_run

    for file in files or ():
        trust_for_this_run(file)
    return files


def _trust(
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            callback=_agree,
            help="Registry file of somebody else whose entries may run code this time.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Carry the option."""


def _forget_unwritten() -> None:
    """Let what cannot be printed go, or the interpreter would try once more and fail while it ends."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def complain(message: str) -> None:
    """Print one line on stderr, whatever line breaks the message has."""
    print(visible(" ".join(message.split())), file=sys.stderr)
