"""Results say what they were made with, and nothing about where on whose machine."""

import json
from importlib.metadata import version

import torch

from vaescreen.environment import command_line, environment


def test_environment_names_versions_and_hardware():
    described = environment("cpu")
    assert described["torch"] == version("torch")
    assert described["pillow"] == version("pillow")
    assert described["threads"] == torch.get_num_threads()
    assert (described["device"], described["dtype"]) == ("cpu", "float32")
    assert described["cpu"]
    json.dumps(described)


def test_command_line_is_as_typed_without_absolute_paths(monkeypatch):
    typed = ["/opt/venv/bin/vaescreen", "rank", "--data", "/home/me/hospital/chest", "--results=/data/out"]
    monkeypatch.setattr("sys.argv", [*typed, "--patients", r"(\d+)_", "../data/brain", "--size=128"])
    expected = (
        "vaescreen rank --data .../chest --results=.../out --patients '(\\d+)_' ../data/brain --size=128"
    )
    assert command_line() == expected


def test_command_line_of_private_data_keeps_the_names_of_options_only(monkeypatch):
    typed = [
        "/opt/bin/vaescreen",
        "score",
        "pca",
        "--data",
        "mueller",
        "--patients=(mary)",
        "--size",
        "12345",
    ]
    monkeypatch.setattr("sys.argv", [*typed, "--private", "--Mary Smith"])
    assert command_line(private=True) == "vaescreen --data --patients --size --private (values not recorded)"


def test_a_script_or_module_is_called_by_python(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/home/me/clone/benchmarks/reference_campaign.py", "--minutes", "5"])
    assert command_line() == "python benchmarks/reference_campaign.py --minutes 5"
    monkeypatch.setattr("sys.argv", ["/opt/venv/lib/vaescreen/__main__.py", "rank"])
    assert command_line() == "python -m vaescreen rank"
