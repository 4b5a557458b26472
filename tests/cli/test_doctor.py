import json
import platform

import torch


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
