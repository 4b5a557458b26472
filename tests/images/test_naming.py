"""What the word behind `--data` means: a name of the registry, a short name, phantoms, or a path."""

from pathlib import Path

import pytest
from small import write_pictures
from small_data import write_entries

import vaescreen
from vaescreen.errors import DataError
from vaescreen.images import Declaration, declared, open_data
from vaescreen.images.naming import standing_for, state_of
from vaescreen.registry.catalogue import Registry


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


def folder_of(spec: object) -> Path:
    assert isinstance(spec, Declaration)
    return spec.folder


@pytest.mark.parametrize("anatomy", ["chest", "brain", "knee"])
def test_a_short_name_means_phantoms_while_nothing_stands_for_it(anatomy):
    assert declared(anatomy) == anatomy
    assert vaescreen.open_data(anatomy, size=32, train_images=1, test_images=1).kind == "phantom"


def test_a_short_name_means_what_stands_for_it_and_the_phantom_stays_reachable(ward, tmp_path):
    registry = write_entries(tmp_path, ward={"source": {"path": str(ward)}, "stands_for": "chest"})
    spec = declared("chest", registry)
    assert folder_of(spec) == ward
    data = open_data(spec, size=32)
    assert (data.name, data.kind) == ("ward", "real")
    assert data.description["data_set"]["stands_for"] == "chest"
    assert declared("chest-phantom", registry) == "chest-phantom"
    assert declared("brain", registry) == "brain"


def test_a_data_set_called_by_a_short_name_goes_first(ward, tmp_path):
    mine = write_pictures(tmp_path / "mine")
    registry = write_entries(
        tmp_path,
        chest={"source": {"path": str(mine)}},
        ward={"source": {"path": str(ward)}, "stands_for": "chest"},
    )
    assert folder_of(declared("chest", registry)) == mine


def test_of_several_the_last_stands(ward, tmp_path):
    other = write_pictures(tmp_path / "other")
    both = {"one": ward, "two": other}
    registry = write_entries(
        tmp_path,
        **{name: {"source": {"path": str(path)}, "stands_for": "knee"} for name, path in both.items()},
    )
    assert folder_of(declared("knee", registry)) == other


def test_a_folder_that_is_gone_is_an_error_and_no_reason_for_phantoms(tmp_path):
    registry = write_entries(
        tmp_path, ward={"source": {"path": str(tmp_path / "gone")}, "stands_for": "chest"}
    )
    for name in ("ward", "chest"):
        with pytest.raises(
            DataError, match=r"ward is the folder .*gone, which does not exist; bring it back"
        ):
            declared(name, registry)


def test_what_is_not_here_says_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match=r"`vaescreen data fetch chestmnist-224` \(3900 MB\) brings it"):
        declared("chestmnist-224")
    with pytest.raises(
        DataError, match=r"mrnet is given out to registered users.*`vaescreen data add mrnet FOLDER`"
    ):
        declared("mrnet")
    with pytest.raises(DataError, match=r"no natural images are on this machine.*one of bsds500, div2k"):
        declared("natural")


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(DataError, match=r"unknown data set 'mrnett'; did you mean 'mrnet'\?"):
        declared("mrnett")
    with pytest.raises(DataError, match="or a name that `vaescreen data list` shows"):
        declared("qqqq")


def test_paths_are_never_names(ward, monkeypatch):
    monkeypatch.chdir(ward.parent)
    write_pictures(ward.parent / "mrnet")
    assert declared("./mrnet") == "./mrnet"
    assert declared(Path("mrnet")) == Path("mrnet")
    assert declared("pictures") == "pictures"
    with pytest.raises(DataError, match=r"write \./kodak if you mean a folder"):
        declared("kodak")


def test_the_registry_is_not_read_for_a_path(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("data: [")
    assert declared("./anything", broken) == "./anything"


def test_a_subfolder_holds_the_images(ward, tmp_path):
    registry = write_entries(tmp_path, ward={"source": {"path": str(tmp_path)}, "subfolder": "pictures"})
    assert folder_of(declared("ward", registry)) == ward


def test_the_users_entry_goes_before_a_published_one_of_the_same_name(ward, tmp_path):
    registry = write_entries(tmp_path, mrnet={"source": {"path": str(ward)}})
    assert folder_of(declared("mrnet", registry)) == ward


def test_states(ward, tmp_path):
    registry = write_entries(
        tmp_path, ward={"source": {"path": str(ward)}}, gone={"source": {"path": str(tmp_path / "gone")}}
    )
    data = Registry.load(registry).data
    states = {name: state_of(data[name]) for name in ("ward", "gone", "mrnet", "kodak")}
    assert states == {
        "ward": "here", "gone": "folder missing", "mrnet": "needs registration", "kodak": "fetchable",
    }  # fmt: skip
    assert standing_for("chest", data) is None


def test_what_an_entry_says_holds_unless_the_caller_says_otherwise(tmp_path):
    folder = write_pictures(tmp_path / "pictures", count=12)
    registry = write_entries(
        tmp_path,
        ward={
            "source": {"path": str(folder)},
            "patients": r"picture-(\d)",
            "counts": {"train": 4, "test": 1},
        },
    )
    spec = declared("ward", registry)
    data = open_data(spec, size=32)
    assert data.description["patient_rule"] == r"pattern picture-(\d)"
    assert (len(data.ids("train")), len(data.ids("test"))) == (4, 1)
    other = open_data(spec, size=32, patient_pattern=r"picture-\d(\d)", train_images=2, name="else")
    assert other.description["patient_rule"] == r"pattern picture-\d(\d)"
    assert (other.name, len(other.ids("train")), len(other.ids("test"))) == ("else", 2, 1)


def test_a_description_holds_no_path_of_this_machine(ward, tmp_path):
    registry = write_entries(tmp_path, ward={"source": {"path": str(ward)}, "citation": "us"})
    description = open_data(declared("ward", registry), size=32).description
    assert description["data_set"]["citation"] == "us"
    assert str(tmp_path) not in str(description)


def test_the_name_of_the_data_does_not_move_its_fingerprint(ward, tmp_path):
    registry = write_entries(tmp_path, ward={"source": {"path": str(ward)}})
    assert open_data(declared("ward", registry), size=32).fingerprint == open_data(ward, size=32).fingerprint
