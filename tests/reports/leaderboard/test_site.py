"""The static site: pages and documentation in one, from disk, without a request."""

import shutil
from pathlib import Path

import pytest

from vaescreen.errors import CacheError
from vaescreen.reports.leaderboard.site import build_site, ensure_site_can_be_built


@pytest.fixture(scope="module")
def site(published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages beside a documentation that links to a file outside of it."""
    pytest.importorskip("zensical", reason="a site needs the extra `docs`")
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(published, root / "leaderboards")
    (root / "docs").mkdir()
    (root / "README.md").write_text("# Front\n\n[Documentation](docs/README.md)\n")
    (root / "docs" / "README.md").write_text(
        "# Documentation\n\n[Chest](../leaderboards/chest.md) and [notes](../notes/more.md)\n\n[out](../../secret.md)\n"
    )
    (root / "notes").mkdir()
    (root / "notes" / "more.md").write_text("# More\n")
    (root.parent / "secret.md").write_text("# Secret\n")
    build_site(root / "leaderboards", root / "site")
    return root / "site"


def test_pages_and_documentation_are_one_site(site: Path, visit) -> None:
    with visit(site / "index.html", requests=site) as page:
        assert page.locator("h1").inner_text().startswith("Front")
        page.get_by_role("link", name="Documentation").first.click()
        page.get_by_role("link", name="Chest").click()
        assert page.locator("h1").inner_text().startswith("chest")
        assert page.locator("article table").count() >= 4
        drawn = page.locator("article img").evaluate_all("images => images.map(image => image.naturalWidth)")
        assert drawn
        assert all(width > 300 for width in drawn)
        page.locator("details").first.locator("summary").click()
        assert page.locator("details table").first.is_visible()


def test_it_fits_a_phone(site: Path, visit) -> None:
    with visit(site / "leaderboards" / "chest.html", width=360, requests=site) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_is_linked_to_is_there_and_what_lies_outside_is_not(site: Path) -> None:
    assert (site / "notes" / "more.html").is_file()
    assert not list(site.rglob("*secret*"))
    assert (site / "leaderboards" / "chest.csv").is_file()
    assert [path.name for path in site.parent.iterdir() if path.name.startswith(".")] == []


def test_a_site_is_replaced_and_other_things_are_not(site: Path, tmp_path: Path) -> None:
    ensure_site_can_be_built(site)
    ensure_site_can_be_built(tmp_path / "new")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(CacheError, match="holds other things"):
        build_site(site.parent / "leaderboards", tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
