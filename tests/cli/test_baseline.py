import json
from pathlib import Path

from small import write_pictures


def test_floors_in_one_table(run, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "pictures")
    arguments = ("--data", pictures, "--results", tmp_path / "results", "--format", "json")
    result = run("reference", "baseline", "nearest", "bicubic", "nearest", *arguments)
    assert result.exit_code == 0, result.stderr
    nearest, bicubic = json.loads(result.stdout)["rows"]
    assert nearest["baseline"]["name"] == "nearest"
    assert bicubic["summary"]["sr_psnr"] == bicubic["summary"]["bicubic_psnr"]
    assert bicubic["view"]["size"] == 128
    wrong = run("reference", "baseline", "cubic", *arguments)
    assert wrong.exit_code == 1
    assert "is no baseline and no weight file" in wrong.stderr
