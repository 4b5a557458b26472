"""Pages of a comparison and of a preview in a real browser."""

from pathlib import Path

import pytest

CHARTS = {
    "compare": ("differences", "bands", "spectrum", "agreement"),
    "preview": ("grays", "frequencies"),
}


@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_drawn_names_are_text_and_nothing_is_asked_for(pages, visit, name, width):
    kind = ".narrow" if width == 360 else ".wide"
    with visit(pages[name], width=width) as page:
        for chart in CHARTS[name]:
            boxes = [
                mark.bounding_box()
                for mark in page.locator(f"#{chart} {kind} svg [class^='mark-'] path").all()
            ]
            assert sum(bool(box) and box["width"] + box["height"] > 3 for box in boxes) > 1, chart
        assert page.locator("img[onerror]").count() == 0
        assert "<img src=x" in page.locator("h1").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_wipe_of_a_comparison_shows_its_two_candidates(pages, visit):
    with visit(pages["compare"]) as page:
        page.wait_for_function("document.querySelector('#crops').children.length === 5")
        assert page.locator("#left").input_value() == "dct-f16c4"
        assert page.locator("#right").input_value() == "haar-f16c4"


@pytest.mark.parametrize("name", CHARTS)
def test_axe_finds_nothing_serious(pages, visit, name):
    axe = pytest.importorskip("axe_core_python", reason="axe-core judges accessibility")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text()
    with visit(pages[name]) as page:
        page.evaluate(source)
        found = page.evaluate("axe.run()")["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in serious]
