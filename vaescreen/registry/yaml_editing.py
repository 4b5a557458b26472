"""Adding an entry to a YAML file and taking one out, by the marks of ruamel.yaml.

Its own round trip would wrap and indent the other entries anew, so the text is cut where it says that a value stands:
comments, order and spacing stay as they are.
"""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from vaescreen.registry.document import compose, dump

_DEFAULT_INDENT = "  "
_BREAK = "\r\n|[\n\r\x85\u2028\u2029]"


class CannotEdit(Exception):  # noqa: N818
    """The text is YAML, but not laid out so that an entry can be put in or taken out; says why."""


def add_to_section(text: str, section: str, name: str, fields: dict[str, Any]) -> str:
    """Text with `name: fields` as the last entry of the mapping under `section`.

    An entry stands apart by an empty line if the last one before it does. A section that does not exist is
    begun at the end.

    Raises
    ------
    CannotEdit
        If the section is not written as a block, one entry below the other.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    found = _value(compose(text), section)
    if found is None:
        return _ended(text, newline) + block(section, {name: fields}, "", newline)
    key, value = found
    indent, blank, last = _DEFAULT_INDENT, "", key
    if not (
        isinstance(value, ScalarNode) and not value.value and value.style is None
    ):  # not an empty section
        _require_block(text, value, section)
        indent, last = " " * value.value[0][0].start_mark.column, value.value[-1][1]
        blank = newline if len(value.value) == 1 or _blank_before(text, value.value[-1][0]) else ""
    end = _line_end(text, _end(text, last))
    return _ended(text[:end], newline) + blank + block(name, fields, indent, newline) + text[end:]


def remove_from_section(text: str, section: str, name: str) -> str:
    """Text without the entry `name` of the mapping under `section`, and without the empty line above it.

    Raises
    ------
    CannotEdit
        If the section is not written as a block, or the entry does not stand on lines of its own.
    """
    mapping = _value(compose(text), section)
    entry = mapping and _value(mapping[1], name)
    if mapping is None or entry is None:
        raise CannotEdit(f"there is no {name!r} under {section!r}")
    key, value = entry
    _require_block(text, mapping[1], section)
    start = _line_start(text, key)
    if text[start : key.start_mark.index].strip():
        raise CannotEdit(f"{name!r} does not begin a line")
    head = text[:start]
    if _blank_before(text, key):
        head = "".join(head.splitlines(keepends=True)[:-1])
    return head + text[_line_end(text, _end(text, value)) :]


def block(name: str, fields: dict[str, Any], indent: str = _DEFAULT_INDENT, newline: str = "\n") -> str:
    """Entry as it is written into a file: a field a line, mappings and lists inside it on that line."""
    return "".join(f"{indent}{line}{newline}" for line in dump({name: fields}).splitlines())


def _value(node: Node | None, name: str) -> tuple[Node, Node] | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((pair for pair in pairs if pair[0].value == name), None)


def as_entered(file: Path, name: str, fields: dict[str, Any]) -> list[str]:
    """Lines that show the entry `name` as it stands in `file`, between empty ones."""
    return ["", f"{file}:", "", *block(name, fields).rstrip().splitlines(), ""]


def _require_block(text: str, node: Node, section: str) -> None:
    if not isinstance(node, MappingNode) or node.flow_style or not node.value:
        raise CannotEdit(
            f"{section!r} is not written as a block; put each entry on lines of its own below it"
        )
    first = node.value[0][0]
    if text[_line_start(text, first) : first.start_mark.index].strip(" "):
        raise CannotEdit(f"the first entry of {section!r} does not begin a line")


def _end(text: str, node: Node) -> int:
    """Index after the last character of a value, not counting what follows a block mapping or list."""
    while isinstance(node, CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    end: int = node.end_mark.index
    is_block_text = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return len(text[:end].rstrip()) if is_block_text else end


def _line_start(text: str, node: Node) -> int:
    start: int = node.start_mark.index
    return start - len(re.split(_BREAK, text[:start])[-1])


def _line_end(text: str, index: int) -> int:
    """Index after the line break that follows `index`."""
    found = re.search(_BREAK, text[index:])
    return index + found.end() if found else len(text)


def _blank_before(text: str, key: Node) -> bool:
    above = re.split(_BREAK, text[: _line_start(text, key)])
    return len(above) > 1 and not above[-2].strip(" ")


def _ended(text: str, newline: str) -> str:
    return text if not text or re.fullmatch(_BREAK, text[-1]) else text + newline
