"""The commands of the application by name, and command lines as they stand in documents."""

import functools
import shlex
from typing import Any

import typer
from jsonschema import Draft202012Validator

from vaescreen.cli import app
from vaescreen.cli.schema import leaves, outputs_of, schema_of


@functools.cache
def commands() -> dict[str, Any]:
    """Every command by its full name."""
    return dict(leaves(typer.main.get_command(app)))


def options_of(command: Any) -> dict[str, Any]:
    """Parameters of a command by each of their names, such as `--data`."""
    return {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}


def parse(line: str) -> str:
    """Parse a command line against the real options, as the application would; give the command's name."""
    words = shlex.split(line, comments=True)
    assert words[0].rpartition("/")[2] == "vaescreen", line
    for length in (2, 1):
        name = " ".join(words[1 : 1 + length])
        if name in commands():
            commands()[name].make_context(name, words[1 + length :])
            return name
    raise AssertionError(f"no command: {line}")


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """What judges the JSON of a command."""
    schema = schema_of(name, outputs_of(commands()[name]))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
