"""What stands in the page of a ranking, whatever shows it."""

import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vaescreen.reports.page import drawing

CHARTS = ("forest", "latent-size", "spectrum", "bands", "measured")
AGAIN = """
import pickle, sys
from vaescreen.reports.ranking.report import page
ranking, examples = pickle.load(open(sys.argv[1], "rb"))
sys.stdout.buffer.write(page(ranking, examples, command="vaescreen rank", private=False))
"""


def test_it_begins_with_the_verdict_and_three_numbers(report, ranking):
    text = report.read_text()
    order = [
        text.index(each) for each in ('class="verdict"', 'class="numbers"', 'id="forest"', 'id="images"')
    ]
    order += [text.index(f'id="{each}"') for each in (*CHARTS[1:], "all", "provenance")]
    assert order == sorted(order)
    first = ranking.rows[0]
    assert f"<strong>{first.candidate}</strong>" in text
    assert f"predicted SR PSNR {first.predicted_sr_psnr:.2f}" in text


def test_the_result_is_in_it_as_json(report, ranking):
    held = re.search(
        r'<script type="application/json" id="result">(.*?)</script>', report.read_text(), re.DOTALL
    )
    assert json.loads(held[1]) == json.loads(json.dumps(ranking.as_json()))


def test_it_names_no_address(report):
    text = re.sub(r'xmlns(:xlink)?="[^"]+"', "", report.read_text())
    assert not re.search(r"https?://|<link (?!rel=\"icon\" href=\"data:,\")|src=\"(?!data:)|@import", text)


def test_the_same_ranking_gives_the_same_bytes_elsewhere(report, ranking, examples, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(pickle.dumps((ranking, examples)))
    elsewhere = os.environ | {
        "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "COLUMNS": "40",
        "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[3]),
    }  # fmt: skip
    made = subprocess.run([sys.executable, "-c", AGAIN, kept], env=elsewhere, capture_output=True, check=True)
    assert made.stdout == report.read_bytes()


def test_private_images_are_not_in_it(ranking, written):
    text = written(ranking, private=True).read_text()
    assert "data:image" not in text
    assert "image-0" not in text
    assert "The images are private, so none is shown." in text


def test_without_the_extra_it_has_table_pictures_and_text(ranking, written, monkeypatch):
    for name in ("altair", "vl_convert"):
        monkeypatch.setitem(sys.modules, name, None)
    text = written(ranking).read_text()
    assert "pip install &#39;vaescreen[report]&#39;" in text
    assert "<svg" not in text
    assert 'id="pictures"' in text
    assert text.count("data-candidate=") == len(ranking.rows)


def test_without_predictions_the_probe_is_drawn(ranking, written):
    plain = [
        replace(
            row, predicted_sr_psnr=None, interval=None, p_best=None,
            predicted_posterior_mean_psnr=None, predicted_detail=None,
        )
        for row in ranking.rows
    ]  # fmt: skip
    text = written(replace(ranking, rows=tuple(plain), predictor=None)).read_text()
    assert "probe PSNR (dB)" in text
    assert 'id="measured"' not in text


@pytest.mark.slow
def test_two_hundred_candidates_stay_below_eight_megabytes(many):
    assert many.stat().st_size < 8_000_000


@pytest.mark.parametrize("text", ["</script>", "<!--", "a&b", 'say "so"', "\u2028"])
def test_json_in_a_page_is_what_it_was_and_cannot_end_its_element(text):
    from vaescreen.reports.page.framework import json_text

    written = json_text({text: [text, float("nan")]})
    assert json.loads(written) == {text: [text, None]}
    assert not re.search("[<>&]", written)


def test_a_file_of_a_chart_has_the_colours_of_light_and_dark(ranking):
    from vaescreen.reports.ranking import charts

    made = drawing.svg_file(lambda canvas: charts.forest(ranking.rows, canvas), "<what> it is").decode()
    assert "prefers-color-scheme" in made
    assert "<desc>&lt;what&gt; it is</desc>" in made
    assert made.count('data-row="row-0"') == 6


def test_no_two_parts_of_a_page_have_one_id_and_every_reference_is_answered(report):
    text = re.sub(r"<script.*?</script>", "", report.read_text(), flags=re.DOTALL)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
    assert "url(#forest-720-0)" in text
