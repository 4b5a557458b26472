"""The page of a ranking as somebody uses it, in a real browser."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

CHARTS = ("forest", "latent-size", "spectrum", "bands", "measured")


def column(page, number):
    return page.locator(f"#candidates tbody tr:visible > :nth-child({number})").all_inner_texts()


def place_of(page, title):
    heads = page.locator("#candidates thead th").all_inner_texts()
    return next(place for place, text in enumerate(heads, start=1) if text.startswith(title))


@pytest.mark.parametrize("width", [1100, 360])
def test_every_chart_has_marks_that_are_seen(report, visit, ranking, width):
    kind = ".narrow" if width == 360 else ".wide"
    with visit(report, width=width) as page:
        for chart in CHARTS:
            marks = page.locator(f"#{chart} {kind} svg [data-row='row-0'] > :is(path, line)")
            assert marks.count(), chart
            for mark in marks.all():
                box = mark.bounding_box()
                assert box
                assert box["width"] + box["height"] > 3, chart
                assert 0 <= box["x"] <= width, chart
        names = page.locator(f"#forest {kind} svg text").all_text_contents()
        assert {row.candidate for row in ranking.rows} - set(names) == set()


def test_a_narrow_page_does_not_scroll_sideways(report, visit):
    with visit(report, width=360) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_columns_are_sorted_by_their_numbers_and_missing_ones_go_last(report, visit):
    with visit(report) as page:
        head = page.get_by_role("columnheader", name=re.compile("^latent values"))
        place = place_of(page, "latent values")
        head.get_by_role("button").click()
        falling = column(page, place)
        assert head.get_attribute("aria-sort") == "descending"
        head.get_by_role("button").click()
        rising = column(page, place)
        assert head.get_attribute("aria-sort") == "ascending"
        assert falling[-1] == rising[-1] == "—"
        numbers = [int(text) for text in rising[:-1]]
        assert numbers == sorted(numbers)
        assert [int(text) for text in falling[:-1]] == numbers[::-1]
        names = page.get_by_role("columnheader", name=re.compile("^candidate"))
        names.get_by_role("button").click()
        shown = column(page, 2)
        assert shown == sorted(shown)


def test_filters_leave_the_rows_that_fit_and_dim_the_others_in_the_charts(report, visit):
    with visit(report) as page:
        page.locator("#domain").select_option("medical")
        assert set(column(page, place_of(page, "domain"))) == {"medical"}
        page.locator("#factor").select_option("8")
        assert column(page, 2) == ["medical-sim-f8c4"]
        assert page.locator("#count").inner_text().startswith("1 of ")
        key = page.locator("[data-candidate='pca-sim-f4c4']").get_attribute("data-row")
        dimmed = page.locator(f"#forest .wide [data-row='{key}']").first
        assert float(dimmed.evaluate("each => getComputedStyle(each).opacity")) < 0.5
        page.locator("#search").fill("nothing like it")
        assert column(page, 2) == []


def test_a_click_on_a_mark_highlights_its_candidate_everywhere(report, visit):
    with visit(report) as page:
        key = page.locator("[data-candidate='pca-sim-f4c4']").get_attribute("data-row")
        page.locator(f"#forest .wide [data-row='{key}'] > path").first.click()
        assert page.locator("#candidates tr.chosen").get_attribute("data-candidate") == "pca-sim-f4c4"
        assert page.locator("#left").input_value() == "pca-sim-f4c4"
        accent = page.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
        )
        for chart in CHARTS:
            chosen = page.locator(f"#{chart} .wide .chosen > :is(path, line)").first
            colours = chosen.evaluate("each => [getComputedStyle(each).stroke, getComputedStyle(each).fill]")
            assert any(_rgb(accent) == colour for colour in colours), chart


def test_the_keyboard_alone_chooses_sorts_and_wipes(report, visit):
    with visit(report) as page:
        button = page.locator("#candidates tr[data-row] button").nth(2)
        button.focus()
        page.keyboard.press("Enter")
        assert page.locator("#candidates tr.chosen button").inner_text() == button.inner_text()
        assert button.get_attribute("aria-pressed") == "true"
        page.locator("#candidates thead button").nth(1).focus()
        page.keyboard.press("Space")
        assert page.locator("#candidates thead th").nth(1).get_attribute("aria-sort")
        wipe = page.locator("#wipe")
        wipe.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        assert wipe.input_value() == "55"
        page.locator("#which input").first.focus()
        page.keyboard.press("ArrowRight")
        assert "image-1" in page.locator("#wiped-text").inner_text()


def test_the_slider_wipes_between_the_two_pictures(report, visit):
    shown = "() => { const c = document.querySelector('#wiped'); return c.toDataURL() }"
    with visit(report) as page:
        page.wait_for_function("document.querySelector('#crops').children.length === 6")
        seen = []
        for value in (0, 50, 100):
            page.locator("#wipe").fill(str(value))
            page.wait_for_timeout(100)
            seen.append(page.evaluate(shown))
        assert len(set(seen)) == 3


def test_the_error_map_is_blank_where_nothing_is_wrong_and_zoom_and_arrows_move_the_crop(report, visit):
    crop = "place => document.querySelectorAll('#crops canvas')[place].toDataURL()"
    colours = """place => {
        const c = document.querySelectorAll('#crops canvas')[place];
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return new Set(Array.from({length: d.length / 4}, (_, at) => d.slice(4 * at, 4 * at + 3).join())).size }"""
    with visit(report) as page:
        page.locator("#left").select_option("true image")
        page.wait_for_timeout(100)
        assert page.evaluate(colours, 4) == 1
        assert page.evaluate(colours, 5) > 1
        before = page.evaluate(crop, 0)
        page.locator("#zoom").fill("6")
        page.wait_for_timeout(100)
        zoomed = page.evaluate(crop, 0)
        page.locator("#wiped").focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(100)
        assert len({before, zoomed, page.evaluate(crop, 0)}) == 3


def test_dark_and_light_differ_and_both_can_be_read(report, visit):
    grounds = {}
    for scheme in ("light", "dark"):
        with visit(report, color_scheme=scheme) as page:
            grounds[scheme] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            ink = page.locator("#forest .wide svg text").first.evaluate("each => getComputedStyle(each).fill")
            assert ink != grounds[scheme]
    assert grounds["light"] != grounds["dark"]


def test_printed_it_has_the_charts_and_no_controls(report, visit, tmp_path):
    with visit(report, width=794) as page:  # A4 at 96 pixels an inch
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 794
        assert page.locator("#forest .wide svg").is_visible()
        assert not page.locator("#filters").is_visible()
        assert not page.locator(".save").first.is_visible()
        assert len(page.pdf()) > 20_000


def test_the_result_and_the_figures_can_be_saved(report, visit, ranking, tmp_path):
    with visit(report) as page:
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download the result as JSON").click()
        saved.value.save_as(tmp_path / "result.json")
        with page.expect_download() as saved:
            page.locator("#bands .save").click()
        saved.value.save_as(tmp_path / "bands.svg")
    rows = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert [row["candidate"] for row in rows] == [row.candidate for row in ranking.rows]
    assert "var(" not in (tmp_path / "bands.svg").read_text()


def test_nothing_that_a_stranger_wrote_runs(hostile, visit):
    with visit(hostile) as page:
        assert page.locator("img[onerror]").count() == 0
        assert page.locator("script:not([type])").count() == 1
        assert "alert(1)" in page.locator(".numbers strong").first.inner_text()
        page.locator("#forest .wide [data-row='row-0']").first.hover(force=True)
        page.locator("#which input").nth(1).check(force=True)
        page.wait_for_timeout(100)
        assert "alert(2)" in page.locator("#wiped-text").inner_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
def test_axe_finds_nothing_serious(report, visit, scheme, width):
    axe = pytest.importorskip("axe_core_python", reason="axe-core judges accessibility")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text()
    with visit(report, width=width, color_scheme=scheme) as page:
        page.evaluate(source)
        found = page.evaluate("axe.run()")["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in serious]


@pytest.mark.slow
def test_two_hundred_candidates_stay_responsive(many, visit):
    """A click on the head, and a letter of a search, are answered in well under a second on a busy machine."""
    timed = """async () => { const start = performance.now();
        document.querySelector('#candidates thead button').click();
        const search = document.querySelector('#search');
        search.value = 'medical';
        search.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame); return performance.now() - start }"""
    with visit(many) as page:
        assert page.locator("#candidates tbody tr").count() > 200
        assert page.evaluate(timed) < 2000


def test_pictures_are_lossless(report, examples):
    import base64
    import io

    import numpy as np

    held = re.search(r'id="pictures">(.*?)</script>', report.read_text(), re.DOTALL)
    first = json.loads(held[1])["images"][0]["hr"]
    with Image.open(io.BytesIO(base64.b64decode(first.partition(",")[2]))) as picture:
        pixels = np.asarray(picture.convert("L"))
    assert (pixels == np.rint(255 * examples.hr[0, 0].numpy())).all()


def _rgb(colour):
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"
