"""A registry file as ruamel.yaml reads it: plain values, and the line of each for whoever must be told of a mistake."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from vaescreen.errors import RegistryError

MAX_BYTES = 1_000_000
MAX_DEPTH = 16


class _Composer(Composer):
    """Without aliases, which can blow a small file up, and with bounded nesting."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        mark = self.parser.peek_event().start_mark
        if self.parser.check_event(AliasEvent):
            raise MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Constructor(SafeConstructor):
    """Dates are text, and no tag makes anything else of a value."""

    def refuse(self, node: Node) -> None:
        raise MarkedYAMLError(problem=f"tag {node.tag!r} is not supported", problem_mark=node.start_mark)


_Constructor.add_constructor(None, _Constructor.refuse)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


@dataclass(frozen=True)
class Document:
    """A parsed registry file: where it lies, its text, and the values in it."""

    path: Path
    text: str
    value: Any

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read one YAML document of plain values: mappings with text keys, lists, text, numbers, booleans.

        Raises
        ------
        RegistryError
            If the file cannot be read, is larger than 1 MB, or is not such a document; the message names the file and,
            where there is one, the line.
        """
        return cls.parse(path, read_text(path))

    @classmethod
    def parse(cls, path: Path, text: str) -> "Document":
        """Parse the text of `path`, as `read` does."""
        try:
            document = cls(path, text, yaml().load(text))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or str(error.context)
            if isinstance(error, DuplicateKeyError):
                problem = f"key {problem.split(chr(34))[1]!r} stands twice"
            raise _error(path, mark.line + 1 if mark else 1, problem) from error
        except (YAMLError, ValueError, LookupError, OverflowError) as error:
            line = text.count("\n", 0, getattr(error, "position", 0)) + 1
            raise _error(path, line, f"this is not YAML ({' '.join(str(error).split())[:150]})") from error
        document._check(document.value, ())
        return document

    def error(self, message: str, where: tuple[str | int, ...] = ()) -> RegistryError:
        """Build the error for `message` at the value `where`, or at the nearest existing value around it."""
        node, line = compose(self.text), 1
        for step in where:
            if isinstance(node, MappingNode):
                found = next((pair for pair in node.value if pair[0].value == str(step)), None)
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = (node.value[step], node.value[step])
            else:
                found = None
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        return _error(self.path, line, message)

    def _check(self, value: Any, where: tuple[str | int, ...]) -> None:
        """Refuse keys that are no text, and escapes that stand for half a surrogate pair: nothing can write them."""
        if isinstance(value, dict):
            for key, inner in value.items():
                if not isinstance(key, str):
                    raise self.error("a key must be text", (*where, str(key)))
                self._check(key, (*where, key))
                self._check(inner, (*where, key))
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                self._check(inner, (*where, place))
        elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise self.error("half a surrogate pair", where)


def read_text(path: Path) -> str:
    """Text of a registry file, its line breaks as they are.

    Raises
    ------
    RegistryError
        If the file cannot be read, is larger than 1 MB, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise RegistryError(f"{path} is larger than {MAX_BYTES / 1e6:.0f} MB; this is not a registry")
        return data.decode("utf-8")
    except OSError as error:
        raise RegistryError(f"cannot read {path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "this is not UTF-8 text") from error


def yaml() -> YAML:
    """Reader and writer of plain values; a mapping or list of plain ones is written on one line."""
    found = YAML(typ="safe", pure=True)
    found.Composer, found.Constructor = _Composer, _Constructor
    found.default_flow_style = None
    found.allow_unicode, found.width = True, 10**6
    found.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed by its first value
    return found


def compose(text: str) -> Node | None:
    """The document as nodes with marks; None if it is empty."""
    node: Node | None = yaml().compose(text)
    return node


def dump(value: Any) -> str:
    """Value as YAML text."""
    stream = StringIO()
    yaml().dump(value, stream)
    return stream.getvalue()


def _error(path: Path, line: int, message: str) -> RegistryError:
    return RegistryError(f"{path}, line {line}: {message}")
