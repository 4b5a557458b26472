"""`vaescreen schema`: JSON Schemas of what commands print as JSON, from the types that they print."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, schema_name, show

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@prints(dict[str, Any])
def schema(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND", help="Such as rank, registry list, or registry.", show_default="all"
        ),
    ] = None,
    form: options.OutputFormat = Format.JSON,
) -> None:
    """Print the JSON Schema of what a command prints with --format json, or those of several commands by name.

    JSON of every command is one object that begins with the name of its schema, the version of vaescreen, the command
    and warnings, and ends with timings: how long things took, the one part that differs from run to run. What is a
    list stands under `rows`.

    Examples
    --------
    vaescreen schema rank
    vaescreen schema registry list
    vaescreen schema --format table
    """
    known = dict(leaves(ctx.find_root().command))
    wanted = " ".join(command or ())
    chosen = [name for name in known if not wanted or name == wanted or name.startswith(f"{wanted} ")]
    if not chosen:
        raise typer.BadParameter(
            f"no command is called {wanted!r}; `vaescreen schema --format table` names all"
        )
    schemas = {name: schema_of(name, outputs_of(known[name])) for name in chosen}
    show(
        Sheet(
            headers=("command", "schema", "keys"),
            cells=[[name, schema_name(name), ", ".join(_keys(each))] for name, each in schemas.items()],
            records=[{"command": name, "schema": schema_name(name)} for name in schemas],
            payload=schemas.get(wanted, {"schemas": schemas}),
            text_columns=3,
        ),
        form,
    )


def leaves(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below a group, by its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for key, each in command.commands.items():
        yield from leaves(each, f"{name} {key}".strip())


def outputs_of(command: Any) -> tuple[Any, ...]:
    """Types of which a command prints one as JSON (see `vaescreen.cli.grouping.prints`)."""
    return tuple(_loaded(each) if isinstance(each, str) else each for each in command.callback.outputs)


def schema_of(command: str, outputs: tuple[Any, ...]) -> dict[str, Any]:
    """JSON Schema of the one object that a command prints, which holds one of several types."""
    bodies = [_body(command, output) for output in outputs]
    definitions = {key: value for body in bodies for key, value in body.pop("$defs", {}).items()}
    head = {"$schema": _DIALECT, "title": f"vaescreen {command} --format json"}
    return head | (bodies[0] if len(bodies) == 1 else {"anyOf": bodies}) | {"$defs": definitions}


def _body(command: str, output: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Printed(GenerateJsonSchema):
        """As values are printed: objects have no other keys, named tuples are objects, all fields of rows are there."""

        def typed_dict_schema(self, schema: Any) -> Any:
            return super().typed_dict_schema(schema) | {"additionalProperties": False}

        def dataclass_schema(self, schema: Any) -> Any:
            return super().dataclass_schema(schema) | {"additionalProperties": False}

        def field_is_required(self, field: Any, total: bool) -> bool:
            return field["type"] == "dataclass-field" or super().field_is_required(field, total)

        def named_tuple_schema(self, schema: Any) -> Any:
            properties = {each["name"]: self.generate_inner(each["schema"]) for each in schema["fields"]}
            shape = {"type": "object", "properties": properties, "required": list(properties)}
            return shape | {"additionalProperties": False}

        def p_arguments_schema(self, arguments: Any, var_args_schema: Any) -> Any:
            return self.kw_arguments_schema(
                arguments, None
            )  # as older releases of pydantic call named tuples

    found = TypeAdapter(output).json_schema(mode="serialization", schema_generator=Printed)
    definitions = found.pop("$defs", {})
    body = definitions[found["$ref"].rpartition("/")[2]] if "$ref" in found else found
    if body["type"] == "array":
        body = {"properties": {"rows": body}, "required": ["rows"], "additionalProperties": False}
    envelope = {
        "schema": {"const": schema_name(command)},
        "version": {"type": "string"},
        "command": {"const": command},
        "warnings": {"type": "array", "items": {"type": "string"}},
    }
    timings = {"timings": {"type": "array", "items": {"type": "object"}}}
    return {
        "type": "object",
        "properties": envelope | body.get("properties", {}) | timings,
        "required": list(dict.fromkeys([*envelope, *body.get("required", ()), *timings])),
        "additionalProperties": body.get("additionalProperties", True),
        "$defs": definitions,
    }


def _keys(schema: Mapping[str, Any]) -> list[str]:
    bodies = schema.get("anyOf", [schema])
    return list(dict.fromkeys(key for body in bodies for key in body["properties"]))


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
