"""The documentation of what is read is what the code says."""

from pathlib import Path

from vaescreen.images.catalogue import document


def test_the_page_is_fresh() -> None:
    page = Path(__file__).parents[2] / "docs" / "images.md"
    assert page.read_text() == document(), "python -m vaescreen.images.catalogue > docs/images.md"
