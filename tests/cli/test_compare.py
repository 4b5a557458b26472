import json
from collections.abc import Iterator

import pytest
from small import write_pictures, write_registry

from vaescreen.ranking import comparison


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """A comparison is made once, in whatever forms it is printed."""
    made, compare = {}, comparison.compare

    def remembering(*given, **options):
        key = repr((given, {name: value for name, value in options.items() if not callable(value)}))
        if key not in made:
            made[key] = compare(*given, **options)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "compare", remembering)
        yield


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("compare")
    pictures, registry = write_pictures(folder / "pictures", 30, 48), write_registry(folder)
    return (
        *("compare", "dct-f16c4", "haar-f16c4", "--data", str(pictures), "--size", "48"),
        *("--registry", str(registry), "--name", "mine", "--no-lpips", "--device", "cpu"),
    )


def test_table_ends_with_the_verdict_and_its_reasons(run, arguments):
    printed = run(*arguments, "--margin", "0.3")
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


LACKING = (
    "--no-decompose",
    "--distribution",
    "--embedding",
    "resnet18",
    "--metric-weights",
    "nowhere",
    "--strict",
)


def test_without_decomposition_and_in_markdown(run, arguments):
    printed = run(*arguments, *LACKING, "--format", "markdown").stdout
    assert printed.startswith("# mine: dct-f16c4 against haar-f16c4")
    assert "| PSNR (dB) |" in printed
    assert "Gap" not in printed


def test_csv_has_a_row_for_every_metric(run, arguments):
    lines = run(*arguments, *LACKING, "--format", "csv").stdout.splitlines()
    assert lines[0].startswith("metric,first,second,images,patients")
    assert len(lines) == 1 + 45


@pytest.fixture
def one_patient(tmp_path) -> tuple[str, ...]:
    """Twelve pictures, of which the four test pictures are one patient's."""
    pictures, registry = write_pictures(tmp_path / "pictures", 12, 48), write_registry(tmp_path)
    rows = [f"picture-{i:02}.png,{'test,x' if i < 4 else f'train,{i}'}" for i in range(12)]
    (pictures / "manifest.csv").write_text("\n".join(["file,split,patient_id", *rows]))
    return ("--data", str(pictures), "--size", "48", "--registry", str(registry), "--device", "cpu")


def test_one_patient_is_measured_and_not_tested(run, one_patient, tmp_path):
    asked = ("compare", "dct-f16c4", "haar-f16c4", *one_patient, "--no-lpips")
    printed = run(*asked, "--report", tmp_path / "report.html")
    assert printed.exit_code == 0, printed.stderr
    assert "4 real test images of 1 patients" in printed.stdout
    assert "has the highest PSNR" in printed.stdout
    assert "on the images of one patient" in printed.stdout
    assert "t test" not in printed.stdout
    assert "<html" in (tmp_path / "report.html").read_text()
    lines = run(*asked, "--format", "csv").stdout.splitlines()
    assert lines[0] == "metric,dct-f16c4,haar-f16c4"
    scored = json.loads(run("score", "dct-f16c4", "haar-f16c4", *one_patient, "--format", "json").stdout)
    psnr = dict(zip(lines[0].split(",")[1:], map(float, lines[1].split(",")[1:]), strict=True))
    for card in scored["cards"]:
        assert card["summary"]["psnr"] == pytest.approx(psnr[card["candidate"]], abs=1e-4)
        assert card["counts"]["test_patients"] == 1


def test_patients_whose_images_are_copies_are_named(run, one_patient, tmp_path):
    pictures = tmp_path / "pictures"
    for number in (2, 3):
        (pictures / f"picture-0{number}.png").write_bytes(
            (pictures / f"picture-0{number - 2}.png").read_bytes()
        )
    manifest = (pictures / "manifest.csv").read_text()
    for number in (2, 3):
        manifest = manifest.replace(f"picture-0{number}.png,test,x", f"picture-0{number}.png,test,y")
    (pictures / "manifest.csv").write_text(manifest)
    printed = run("compare", "dct-f16c4", "haar-f16c4", *one_patient, "--no-lpips", "--no-decompose")
    assert "patients x, y have 2 images in common, pixel for pixel" in " ".join(printed.stdout.split())


def test_metrics_asked_for_by_name_that_are_missing_are_said_and_strict_exits_3(run, arguments):
    printed = run(*arguments, *LACKING)
    assert printed.exit_code == 3
    assert "resnet18 is missing:" in " ".join(printed.stdout.split())


@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        (("--outputs", "nowhere.npz"), "1 files of outputs for 2 candidates"),
        (("--margin", "0"), "leaves no room"),
    ],
)
def test_bad_options_are_refused(run, arguments, extra, hint):
    printed = run(*arguments, *extra, "--no-decompose")
    assert printed.exit_code == 1
    assert hint in printed.stderr
