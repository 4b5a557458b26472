import json

import pytest
from small import write_pictures, write_registry


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("compare")
    pictures, registry = write_pictures(folder / "pictures", 30, 48), write_registry(folder)
    return (
        *("compare", "dct-f16c4", "haar-f16c4", "--data", str(pictures), "--size", "48"),
        *("--registry", str(registry), "--name", "mine", "--no-lpips", "--device", "cpu"),
    )


def test_table_ends_with_the_verdict_and_its_reasons(run, arguments):
    printed = run(*arguments)
    assert printed.exit_code == 0, printed.stderr
    assert printed.stdout.startswith("mine: dct-f16c4 against haar-f16c4, reconstructions of")
    assert "Cohen's h of hallucinated pixels" in printed.stdout
    assert "Gap of" in printed.stdout


def test_json_says_what_the_table_says_and_a_page_is_written(run, arguments, tmp_path):
    printed = run(*arguments, "--format", "json", "--report", tmp_path / "page.html", "--margin", "0.3")
    found = json.loads(printed.stdout)
    assert found["margin"] == 0.3
    assert found["metrics"]["psnr"]["pairs"][0]["equivalence"]["margin"] == 0.3
    assert found["decomposition"]["parts"].keys() == {"family"}
    assert 'id="differences"' in (tmp_path / "page.html").read_text()


def test_without_decomposition_and_in_markdown(run, arguments):
    printed = run(*arguments, "--no-decompose", "--format", "markdown").stdout
    assert printed.startswith("# mine: dct-f16c4 against haar-f16c4")
    assert "| PSNR (dB) |" in printed
    assert "Gap" not in printed


def test_csv_has_a_row_for_every_metric(run, arguments):
    lines = run(*arguments, "--no-decompose", "--format", "csv").stdout.splitlines()
    assert lines[0].startswith("metric,first,second,images,patients")
    assert len(lines) == 1 + 45


@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        (("--outputs", "nowhere.npz"), "1 files of outputs for 2 candidates"),
        (("--margin", "0"), "leaves no room"),
        (("--distribution", "--embedding", "resnet18", "--weights", "nowhere"), None),
    ],
)
def test_bad_options_are_refused_and_optional_metrics_that_are_missing_are_said(run, arguments, extra, hint):
    printed = run(*arguments, *extra, "--no-decompose")
    if hint:
        assert printed.exit_code == 1
        assert hint in printed.stderr
    else:
        assert "missing:" in printed.stdout or "Distribution of" in printed.stdout
