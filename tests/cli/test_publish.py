from pathlib import Path

import pytest


@pytest.fixture
def pages(ranked, run, tmp_path: Path) -> Path:
    pytest.importorskip("altair", reason="figures need the extra `report`")
    out = tmp_path / "pages"
    published = run("publish", "--results", ranked.results, "--out", out)
    assert published.exit_code == 0, published.stderr
    return out


def test_publish_writes_a_page_for_each_data_set(pages: Path) -> None:
    assert "pca-f16c4" in (pages / "mine.md").read_text()
    assert (pages / "README.md").is_file()


def test_check_passes_on_what_was_just_published(ranked, run, pages: Path) -> None:
    checked = run("publish", "--check", "--results", ranked.results, "--out", pages)
    assert (checked.exit_code, checked.stdout) == (0, f"{pages}: up to date\n")


def test_check_fails_on_a_page_edited_by_hand_and_leaves_it(ranked, run, pages: Path) -> None:
    page = pages / "mine.md"
    page.write_text(page.read_text() + "better than it is")
    checked = run("publish", "--check", "--results", ranked.results, "--out", pages)
    assert checked.exit_code == 1
    assert str(page) in checked.stderr
    assert page.read_text().endswith("better than it is")


def test_publish_without_results_says_what_to_do(run, tmp_path: Path) -> None:
    result = run("publish", "--results", tmp_path, "--out", tmp_path / "pages")
    assert result.exit_code == 1
    assert "vaescreen rank" in result.stderr


def test_a_site_without_its_extra_is_refused_before_the_work(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run("publish", "--results", tmp_path / "none", "--site", tmp_path / "site")
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines() == [
        "error: a site needs zensical; install it with `pip install 'vaescreen[docs]'`"
    ]
