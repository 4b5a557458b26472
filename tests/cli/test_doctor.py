import json
import platform

import torch

from vaescreen.storage import cache_dir


def test_doctor_names_versions_cache_and_candidates(run, tmp_path) -> None:
    findings = json.loads(run("doctor", "--format", "json").stdout)
    assert findings["python"] == platform.python_version()
    assert findings["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert findings["threads"] == torch.get_num_threads()
    assert findings["cache"] == str(tmp_path / "cache")
    assert findings["cache_mb"] == 0
    assert "pca-f8c4" in findings["candidates"]


def test_doctor_as_a_table(run) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "cache" in result.stdout


def test_cached_latents_are_counted_and_cleared(run) -> None:
    folder = cache_dir() / "latents" / "key"
    folder.mkdir(parents=True)
    (folder / "00000.safetensors").write_bytes(b"x" * 2_000_000)
    (cache_dir() / "kept").write_bytes(b"x" * 1_000_000)
    assert json.loads(run("doctor", "--format", "json").stdout)["latents_mb"] == 2.0
    after = json.loads(run("doctor", "--clear-latents", "--format", "json").stdout)
    assert (after["latents_mb"], after["cache_mb"]) == (0.0, 1.0)
