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


def test_it_says_ok_or_what_is_wrong(run, monkeypatch) -> None:
    import shutil

    usage = shutil.disk_usage("/")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=10**12))
    assert "ok: what `vaescreen rank` needs is here" in run("doctor").stdout
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=10**6))
    (problem,) = json.loads(run("doctor", "--format", "json").stdout)["problems"]
    assert problem.startswith("only 1 MB are free")
