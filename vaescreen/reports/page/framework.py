"""Pages rendered from templates: escaped, under a policy that allows nothing but what the page itself carries."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vaescreen import __version__
from vaescreen.errors import visible

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **context: Any) -> bytes:
    """Render a template of the folder as one HTML file that needs nothing from elsewhere.

    Whatever comes from outside is escaped, and control characters in it are made visible. The page's policy allows
    its own style and script by their hashes, and images only where they are part of it.

    Parameters
    ----------
    template
        Name of a file in the folder of templates.
    context
        What the template shows.
    """
    style, script = _text("palette.css") + _text("page.css"), _text("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    own = {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - files of the package
    frame = {"policy": policy, **own, "version": __version__}
    return _environment().get_template(template).render(**frame, **context).encode()


def json_text(value: Any) -> Markup:
    """Write JSON that a script element may hold: nothing in it can end the element; what is not finite is null."""
    text = json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing in it can end the element any more


def with_commands(text: str) -> Markup:
    """Text as HTML, what stands between two backticks as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return Markup.escape(visible(text))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if place % 2 else part for place, part in enumerate(parts))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["json"] = json_text
    environment.filters["with_commands"] = with_commands
    return environment


def _shown(value: Any) -> Any:
    return visible(value) if type(value) is str else value


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
