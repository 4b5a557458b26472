import subprocess
import sys

import pytest

from vaescreen import __version__

HEAVY = ("torch", "pandas", "diffusers", "altair", "scipy", "pyarrow", "numpy")


def imported_by(statement: str) -> set[str]:
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(child.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rank", "--help"], ["predictor", "validate", "--help"], ["--version"]]
)
def test_help_does_not_wait_for_the_machinery(arguments: list[str]) -> None:
    modules = imported_by(f"sys.argv = ['vaescreen', *{arguments}]; from vaescreen.cli import main; main()")
    assert not modules.intersection(HEAVY)


def test_importing_the_package_imports_nothing_of_it() -> None:
    modules = imported_by("import vaescreen; vaescreen.__version__")
    assert {name for name in modules if name.startswith("vaescreen.")} == set()


def test_version(run) -> None:
    assert run("--version").stdout == f"vaescreen {__version__}\n"


def test_help_names_every_command(run) -> None:
    shown = run("--help").stdout
    for command in ("rank", "score", "registry", "data", "reference", "predictor", "publish", "doctor"):
        assert command in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["rank", "--data", "chest", "--sead", "1"],
        ["rnak"],
        ["rank"],
        ["rank", "--data", "chest", "--processes", "0"],
    ],
)
def test_usage_errors_exit_2(run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
