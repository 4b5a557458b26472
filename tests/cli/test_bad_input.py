"""What a user may get wrong: one line that says what, where and how to mend it, and exit code 1."""

import json
import pickle
from pathlib import Path

import pytest
from small import write_pictures, write_registry


def error_line(result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    *_, line = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in result.stderr
    return line


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


def test_an_empty_folder(run, tmp_path: Path) -> None:
    assert f"{tmp_path} holds 0 images" in error_line(run("rank", "--data", tmp_path))


def test_a_folder_of_one_image(run, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "one", count=1)
    assert "holds 1 image; give at least" in error_line(run("rank", "--data", folder))


def test_a_folder_that_does_not_exist(run, tmp_path: Path) -> None:
    assert "does not exist" in error_line(run("rank", "--data", tmp_path / "nowhere"))


def test_text_files_named_png(run, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_text("not an image")
    assert "4 of 4 images" in error_line(run("rank", "--data", tmp_path))


def test_an_unknown_data_set(run) -> None:
    assert "did you mean 'chest'?" in error_line(run("rank", "--data", "chst"))


def test_an_unknown_candidate(run) -> None:
    assert "did you mean 'pca-f8c4'?" in error_line(run("rank", "--data", "chest", "pca-f8c5"))


def test_an_unknown_recipe(run) -> None:
    assert "did you mean 'compact'?" in error_line(run("rank", "--data", "chest", "--recipe", "compakt"))


@pytest.mark.parametrize(
    "command", [("rank", "--data", "chest", "--registry"), ("registry", "check", "--registry")]
)
def test_an_invalid_registry_is_named_with_file_and_line(run, tmp_path: Path, command) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("candidates:\n  mine:\n    adaptor: diffusers\n")
    line = error_line(run(*command, file))
    assert f"{file}, line 3" in line
    assert "did you mean 'adapter'?" in line


def test_a_registry_that_cannot_be_read(run, tmp_path: Path) -> None:
    file = tmp_path / "missing.yaml"
    assert str(file) in error_line(run("rank", "--data", "chest", "--registry", file))


class Boobytrap:
    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self):
        return Path.touch, (self.sign,)


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    """Registry with a candidate whose weights are a pickle that would create a file."""
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL", "latent_channels": 4}))
    (weights / "model.pth").write_bytes(pickle.dumps(Boobytrap(tmp_path / "sprung")))
    return write_registry(tmp_path, trap="{path: weights}")


def test_a_checkpoint_that_is_a_pickle_is_refused_unopened(run, pictures, pickled, tmp_path) -> None:
    line = error_line(run("rank", "--data", pictures, "trap", "--registry", pickled, "--processes", "1"))
    assert "trap" in line
    assert not (tmp_path / "sprung").exists()


def test_a_candidate_that_fails_does_not_stop_the_others(run, pictures, pickled) -> None:
    options = ("--registry", pickled, "--processes", "1", "--format", "json")
    result = run("rank", "--data", pictures, "dct-f16c4", "trap", *options)
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert {row["candidate"] for row in payload["rows"]} == {"dct-f16c4", "bicubic"}
    assert [entry["candidate"] for entry in payload["failed"]] == ["trap"]


def test_a_truncated_jpeg_among_good_images_is_skipped_counted_and_named(run, pictures, tmp_path) -> None:
    from PIL import Image

    whole = pictures / "whole.jpg"
    Image.open(pictures / "picture-00.png").save(whole, quality=90)
    (pictures / "cut.jpg").write_bytes(whole.read_bytes()[:400])
    whole.unlink()
    registry = write_registry(tmp_path)
    result = run("rank", "--data", pictures, "dct-f16c4", "--registry", registry, "--processes", "1")
    assert result.exit_code == 0, result.stderr
    assert "1 file skipped" in result.stdout
    assert "cut.jpg: " in result.stdout


def test_a_cache_that_cannot_be_written(run, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "file" / "cache"))
    line = error_line(run("rank", "--data", "chest"))
    assert str(tmp_path / "file" / "cache") in line
    assert "VAESCREEN_CACHE" in line


def test_results_that_cannot_be_written(run, pictures, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = error_line(run("rank", "--data", pictures, "--results", tmp_path / "file" / "results"))
    assert "--results" in line


def test_a_patient_pattern_that_is_no_regular_expression(run, pictures) -> None:
    assert "not a regular expression" in error_line(run("rank", "--data", pictures, "--patients", "(["))


def test_an_unknown_kernel(run) -> None:
    line = error_line(run("score", "dct-f8c4", "--data", "chest", "--kernel", "sinc"))
    assert "lanczos" in line


def test_a_candidate_that_is_not_on_this_machine(run, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert "vaescreen registry pull taesd" in error_line(run("rank", "--data", "chest", "taesd"))


def test_no_gpu(run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "no GPU" in error_line(run("rank", "--data", "chest", "--device", "cuda"))
