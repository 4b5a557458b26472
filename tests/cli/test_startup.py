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


def test_every_command_can_be_quiet_and_has_a_short_help() -> None:
    import click
    import typer

    from vaescreen.cli import app

    def leaves(group: click.Group, context: click.Context) -> list[tuple[click.Command, click.Context]]:
        found = []
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            inner = click.Context(command, parent=context, info_name=name)
            found += leaves(command, inner) if hasattr(command, "list_commands") else [(command, inner)]
        return found

    root = typer.main.get_command(app)
    commands = leaves(root, click.Context(root, info_name="vaescreen", help_option_names=["-h", "--help"]))
    assert len(commands) > 25
    for command, context in commands:
        names = {name for parameter in command.get_params(context) for name in parameter.opts}
        assert {"--quiet", "-q", "--no-progress", "-h", "--help"} <= names, command.name
