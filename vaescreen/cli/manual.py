"""Every command with its examples and options, as one page made of what the commands declare.

python -m vaescreen.cli.manual > docs/commands.md
"""

from collections.abc import Iterator
from typing import Any

import typer

from vaescreen.cli import app
from vaescreen.cli.schema import leaves

_INTRODUCTION = """\
# Commands

Made from the commands themselves by `python -m vaescreen.cli.manual > docs/commands.md`; a test keeps it fresh and \
parses every example. Each command says the same with `--help`.

All print results on stdout, everything else on stderr; `--format` is `table`, `json`, `csv` or `markdown`. \
JSON is one object that begins with `schema`, `version`, `command` and `warnings` and ends with `timings`, the one \
part that differs from run to run; `vaescreen schema COMMAND` prints what it looks like.

Exit codes: 0 done; 1 an error, in one line that says how to mend it; 2 a command line that is not understood; 3 with \
`--strict`, something asked for by name was not done; 130 interrupted.
"""


def document() -> str:
    """Give the page as Markdown."""
    commands = dict(leaves(typer.main.get_command(app)))
    links = " · ".join(f"[{name}](#{name.replace(' ', '-')})" for name in commands)
    parts = [
        _INTRODUCTION.strip(),
        links,
        *(part for name in commands for part in _command(name, commands[name])),
    ]
    return "\n\n".join(parts) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield command.help
    _, *examples = command.epilog.split("\n\n")
    yield "\n".join(f"    {example}" for example in examples)
    context = command.context_class(command, info_name=name)
    records = [record for each in command.params if (record := each.get_help_record(context))]
    rows = [f"| `{_cell(options)}` | {_cell(said)} |" for options, said in records]
    yield "\n".join(["| option | what it does |", "| :-- | :-- |", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(document(), end="")
