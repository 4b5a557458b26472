"""YAML that remembers where each value stood, so that a mistake can be reported with its line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vaescreen.errors import RegistryError

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")}
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"}


@dataclass(frozen=True)
class MarkedYaml:
    """A parsed document and the line of every value in it."""

    path: Path
    value: Any
    lines: dict[tuple[str | int, ...], int]

    def error(self, message: str, where: tuple[str | int, ...] = ()) -> RegistryError:
        """Build the error for `message` at the value `where`, or at the nearest existing value around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return _error(self.path, self.lines.get(where, 1), message)


class _Loader(yaml.SafeLoader):
    """Safe loader without aliases (they can blow a small file up) and with bounded nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=self.get_mark())
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def load_marked(path: Path) -> MarkedYaml:
    """Read one YAML document of plain values: mappings with text keys, lists, text, numbers, booleans.

    Raises
    ------
    RegistryError
        If the file cannot be read, is larger than 1 MB, or is not such a document; the message names the
        file and, where there is one, the line.
    """
    return parse_marked(path, read_text(path))


def read_text(path: Path) -> str:
    """Text of a YAML file, its line breaks as they are.

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


def parse_marked(path: Path, text: str) -> MarkedYaml:
    """Parse the text of `path`, as `load_marked` does."""
    lines: dict[tuple[str | int, ...], int] = {}
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        value = None if node is None else _plain(loader, node, (), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(path, mark.line + 1 if mark else 1, error.problem or str(error.context)) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        line = loader.line + 1 if loader else 1
        raise _error(path, line, " ".join(str(error).split())) from error
    return MarkedYaml(path, value, lines)


def _plain(loader: _Loader, node: yaml.Node, where: tuple[str | int, ...], lines: dict[Any, int]) -> Any:
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            is_text = isinstance(key_node, yaml.ScalarNode) and key_node.tag in _TEXT_TAGS
            if not is_text or not _is_unicode(key_node.value):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key_node.start_mark)
            key = str(key_node.value)
            if key in mapping:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            lines[*where, key] = key_node.start_mark.line + 1
            mapping[key] = _plain(loader, value_node, (*where, key), lines)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*where, i), lines) for i, item in enumerate(node.value)]
    if node.tag in _TEXT_TAGS:
        if not _is_unicode(node.value):
            raise yaml.MarkedYAMLError(problem="half a surrogate pair", problem_mark=node.start_mark)
        return node.value
    if node.tag in _PLAIN_TAGS:
        try:
            return loader.construct_object(node)
        except (ValueError, OverflowError, LookupError) as error:
            raise yaml.MarkedYAMLError(
                problem=f"not a value: {node.value[:40]!r}", problem_mark=node.start_mark
            ) from error
    raise yaml.MarkedYAMLError(problem=f"tag {node.tag!r} is not supported", problem_mark=node.start_mark)


def _is_unicode(text: str) -> bool:
    """Whether text can be written out again: an escape in YAML can stand for half a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _error(path: Path, line: int, message: str) -> RegistryError:
    return RegistryError(f"{path}, line {line}: {message}")
