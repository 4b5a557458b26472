"""What CI runs is there: scripts, targets of make, modules, and command lines that the commands understand."""

import importlib.util
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from commands import parse

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / ".ci").iterdir())
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OURS = re.compile(r"(vaescreen|make|python|\.ci/\S+) .*|\.ci/\S+")


def calls() -> Iterator[str]:
    """Simple commands of the workflows, and of the scripts that they call, that start something of this repository."""
    jobs = [job for each in WORKFLOWS for job in yaml.safe_load(each.read_text())["jobs"].values()]
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    for text in (*runs, *(script.read_text() for script in SCRIPTS)):
        parts = (part.strip(" ()") for line in text.splitlines() for part in re.split(r"\|\||&&|\$\(", line))
        yield from (part for part in parts if OURS.fullmatch(part))


def test_the_calls_are_found() -> None:
    programs = {call.split()[0] for call in calls()}
    assert programs == {"vaescreen", "make", "python", ".ci/run", ".ci/reproduce-rows"}


@pytest.mark.parametrize("call", list(calls()))
def test_what_is_called_exists(call: str) -> None:
    program, *words = shlex.split(call, comments=True)
    if program == "vaescreen":
        assert parse(call)
    elif program == "python":
        assert words[0] == "-m"
        assert importlib.util.find_spec(words[1])
    elif program == "make":
        assert set(words) <= {"$target", *TARGETS}
    else:
        assert os.access(ROOT / program, os.X_OK)


def test_what_must_pass_are_targets_of_make() -> None:
    wanted = re.findall(r"for target in (.+); do", (ROOT / ".ci" / "run").read_text())[0].split()
    assert set(wanted) <= TARGETS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_bash(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_each_version_of_python_is_tested_from_the_oldest_on() -> None:
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"].values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={job['strategy']['matrix']['python'][0]}"
    assert [step.get("if") for step in job["steps"] if step.get("run") == ".ci/run"] == [None]
