"""What every command has in common: errors in one line, exit codes, an answer to Ctrl-C."""

import io
import sys
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

from vaescreen.errors import VaescreenError, visible

INTERRUPTED = 130


@dataclass
class Talk:
    """Which command runs, and how much it says beside its result."""

    command: str = ""
    progress: bool = True
    notes: bool = True


TALK = Talk()


class Application(TyperGroup):
    """Root command: a mendable error is one line on stderr and exit code 1; anything else is a bug."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the chosen command."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(
                errors="backslashreplace"
            )  # a name that the terminal cannot show is no failure
        try:
            return super().invoke(ctx)
        except VaescreenError as error:
            complain(f"error: {error}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            complain("interrupted; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from interrupt


def complain(message: str) -> None:
    """Print one line on stderr, whatever line breaks the message has."""
    print(visible(" ".join(message.split())), file=sys.stderr)
