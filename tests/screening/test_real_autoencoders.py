"""Autoencoders that were really published: checked by name, added as code, and as weight files alone."""

import os
import re
import shlex
from pathlib import Path

import pytest

from vaescreen.autoencoders.published.files import WEIGHTS_FOLDER
from vaescreen.cli import main
from vaescreen.errors import VaescreenError
from vaescreen.images import DataSet, open_data
from vaescreen.registry.catalogue import Registry, shipped_file
from vaescreen.screening.adding import Statement, add_candidate
from vaescreen.screening.doctor import examine_candidate

SHARED = Path(os.environ.get("VAESCREEN_TEST_MATERIAL", Path(__file__).parents[3] / "shared"))
FOLDERS = sorted(path.parent for path in (SHARED / "weights").glob("*/SOURCE.md"))
if not FOLDERS:
    pytest.skip(f"no published weights in {SHARED}", allow_module_level=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_data("chest", size=64, train_images=4, test_images=3)


def stated(folder: Path) -> tuple[str, tuple[float, float]]:
    """Geometry and value range that a source states."""
    text = (folder / "SOURCE.md").read_text()
    geometry, limits = re.search(r"Geometry: (f\d+c\d+)", text), re.search(r"RGB in \[(-?\d), (\d)\]", text)
    assert geometry
    assert limits
    return geometry[1], (float(limits[1]), float(limits[2]))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestEach:
    def test_by_its_name_is_accepted(self, folder, data, monkeypatch) -> None:
        monkeypatch.setenv(WEIGHTS_FOLDER, str(folder))
        candidate = Registry.read(shipped_file()).candidate(folder.name)
        report = examine_candidate(candidate, data)
        assert not report.refused, report.refusal
        assert f"f{report.measured['factor']}c{report.measured['channels']}" == stated(folder)[0]

    def test_as_code_is_added_with_the_geometry_and_range_of_its_source(
        self, folder, data, monkeypatch, tmp_path
    ) -> None:
        monkeypatch.chdir(folder)
        added = add_candidate(
            "load:autoencoder", tmp_path / "registry.yaml", data, statement=Statement(name=folder.name)
        ).candidate
        geometry, limits = stated(folder)
        assert str(added.geometry) == geometry
        assert (added.settings.value_range or (-1, 1)) == limits
        assert added.input is not None
        assert added.input.channels == 3

    def test_as_a_file_alone_is_known_by_its_bytes(self, folder, data, monkeypatch, tmp_path, capsys) -> None:
        for spec in (folder, next(folder.glob("*.pth"))):
            with pytest.raises(
                VaescreenError, match=f"is of {folder.name}, which the registry has"
            ) as caught:
                add_candidate(str(spec), tmp_path / "registry.yaml", data)
        advised = re.search("`(.*)`", str(caught.value))
        assert advised
        variable, program, *arguments = shlex.split(advised[1])
        monkeypatch.setenv(*variable.split("="))
        monkeypatch.setattr("sys.argv", [program, *arguments, "--size", "64"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        assert f"{folder.name}: accepted" in capsys.readouterr().out
