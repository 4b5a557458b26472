"""Text of elsewhere on a page."""

import pytest

from vaescreen.reports.page.framework import with_commands


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Next: `vaescreen rank --data chest` tells.",
            "Next: <code>vaescreen rank --data chest</code> tells.",
        ),
        ("`a` and `b`", "<code>a</code> and <code>b</code>"),
        ("one ` alone", "one ` alone"),
        ("`<img src=x>` & <b>", "<code>&lt;img src=x&gt;</code> &amp; &lt;b&gt;"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("", ""),
    ],
)
def test_commands_are_code_and_nothing_else_is_markup(text: str, shown: str) -> None:
    assert str(with_commands(text)) == shown
