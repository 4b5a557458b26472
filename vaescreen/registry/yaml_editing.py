"""Adding an entry to a YAML file and taking one out, as text: comments, order and spacing stay as they are."""

import re
from typing import Any

import yaml

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_DEFAULT_INDENT = "  "


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
    section_node = _value(_root(text), section)
    if section_node is None:
        return _line_ended(text, newline) + block(section, {name: fields}, "", newline)
    key, value = section_node
    if _is_empty(value):
        head, tail = _cut(text, key.end_mark.index)
        return _line_ended(head, newline) + block(name, fields, _DEFAULT_INDENT, newline) + tail
    _require_block(text, value, section)
    first, last = value.value[0][0], value.value[-1]
    indent = " " * first.start_mark.column
    head, tail = _cut(text, _end(text, last[1]))
    blank = newline if len(value.value) == 1 or _blank_before(text, last[0]) else ""
    return _line_ended(head, newline) + blank + block(name, fields, indent, newline) + tail


def remove_from_section(text: str, section: str, name: str) -> str:
    """Text without the entry `name` of the mapping under `section`, and without the empty line above it.

    Raises
    ------
    CannotEdit
        If the section is not written as a block, or the entry does not stand on lines of its own.
    """
    section_node = _value(_root(text), section)
    entry = section_node and _value(section_node[1], name)
    if section_node is None or entry is None:
        raise CannotEdit(f"there is no {name!r} under {section!r}")
    _require_block(text, section_node[1], section)
    start = _line_start(text, entry[0].start_mark.index)
    if text[start : entry[0].start_mark.index].strip():
        raise CannotEdit(f"{name!r} does not begin a line")
    _, tail = _cut(text, _end(text, entry[1]))
    head = text[:start]
    if _blank_before(text, entry[0]):
        head = head[: _line_start(text, _before_break(text, start))]
    return head + tail


def _root(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=yaml.SafeLoader)  # validated before: no aliases, bounded depth


def _value(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((pair for pair in node.value if pair[0].value == name), None)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == "" and node.style is None


def _require_block(text: str, node: yaml.Node, section: str) -> None:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise CannotEdit(
            f"{section!r} is not written as a block; put each entry on lines of its own below it"
        )
    start = node.value[0][0].start_mark.index
    if text[_line_start(text, start) : start].strip(" "):
        raise CannotEdit(f"the first entry of {section!r} does not begin a line")


def _end(text: str, node: yaml.Node) -> int:
    """Index after the last character of a value, not counting what follows a block mapping or list."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    end: int = node.end_mark.index
    is_block_text = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return len(text[:end].rstrip()) if is_block_text else end


def _cut(text: str, index: int) -> tuple[str, str]:
    """Text up to the end of the line of `index`, its break included, and the rest."""
    found = _BREAK.search(text, index)
    end = found.end() if found else len(text)
    return text[:end], text[end:]


def _line_start(text: str, index: int) -> int:
    return max((found.end() for found in _BREAK.finditer(text, 0, index)), default=0)


def _before_break(text: str, start: int) -> int:
    """Index before the line break that ends at `start`."""
    return start - (2 if text[:start].endswith("\r\n") else 1)


def _blank_before(text: str, key: yaml.Node) -> bool:
    start = _line_start(text, key.start_mark.index)
    if start == 0:
        return False
    before = _before_break(text, start)
    return not text[_line_start(text, before) : before].strip(" ")


def _line_ended(text: str, newline: str) -> str:
    return text if not text or _BREAK.fullmatch(text[-1]) else text + newline


def block(name: str, fields: dict[str, Any], indent: str = _DEFAULT_INDENT, newline: str = "\n") -> str:
    """Entry as it is written into a file: a field a line, mappings and lists inside it on that line."""
    dumped = yaml.safe_dump(
        {name: fields}, default_flow_style=None, sort_keys=False, allow_unicode=True, width=10**6
    )
    return "".join(f"{indent}{line}{newline}" for line in dumped.splitlines())
