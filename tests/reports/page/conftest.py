"""Pages of commands on a small folder, written once, and a browser to look at them."""

from pathlib import Path

import pytest
from small import write_pictures, write_registry
from typer.testing import CliRunner

from vaescreen.cli import app

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of a comparison and of a preview; the data set's name tries to run a script."""
    pytest.importorskip("altair", reason="charts need the extra `report`")
    folder = tmp_path_factory.mktemp("pages")
    pictures = write_pictures(folder / "pictures", 20, 64)
    registry = write_registry(folder)
    written = {name: folder / f"{name}.html" for name in ("compare", "preview")}
    commands = {
        "compare": ("compare", "dct-f16c4", "haar-f16c4", "--data", pictures, "--registry", registry, "--size", "64",
                    "--no-lpips", "--no-decompose"),
        "preview": ("data", "preview", pictures),
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(folder / "cache"))
        patch.setenv("VAESCREEN_CONFIG", str(folder / "config"))
        for name, command in commands.items():
            arguments = [*command, "--name", HOSTILE, "--report", written[name]]
            result = CliRunner().invoke(app, [str(each) for each in arguments])
            assert result.exit_code == 0, result.output
    return written
