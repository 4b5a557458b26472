import json

import pytest

from vaescreen.cli.options import Format
from vaescreen.cli.printing import show
from vaescreen.cli.suggestion_sheet import suggestion_sheet
from vaescreen.errors import ResultError
from vaescreen.predictor.files import shipped_path
from vaescreen.storage import cache_dir, write_json


def card(candidate: str, data: str, ceiling: float) -> dict:
    record = json.loads(shipped_path("nano").read_text())
    features, definition = record["points"][0]["features"], record["definition"]
    summary = features | {"psnr": ceiling, **{f"band_{band}1": 1e-4 for band in ("LH", "HL", "HH")}}
    return {
        "protocol": definition["protocol"],
        "candidate": candidate,
        "geometry": {"channels": 4, "factor": 8},
        "data": {"name": data, "fingerprint": f"pixels of {data}"},
        "view": {
            "size": definition["size"],
            "degradation": {key: definition[key] for key in ("kernel", "scale")},
        },
        "summary": summary,
    }


def test_trainings_on_the_named_data_are_ranked_from_cards_of_results_and_cache(tmp_path, capsys):
    places = ((tmp_path, "a", "mine", 27.0), (cache_dir() / "results", "b", "mine", 45.0))
    for folder, candidate, data, ceiling in (*places, (tmp_path, "c", "other", 60.0)):
        path = folder / "scores" / data / f"{candidate}.json"
        write_json(path, card(candidate, data, ceiling))
    sheet = suggestion_sheet("nano", tmp_path, ["mine"])
    assert [record["candidate"] for record in sheet.records] == ["b", "a"]
    assert all(record["after"] < record["before"] for record in sheet.records)
    show(sheet, Format.TABLE)
    assert "narrower by" in capsys.readouterr().out


def test_without_a_predictor_nothing_can_be_narrowed(tmp_path):
    with pytest.raises(ResultError, match="no predictor is shipped for recipe 'no-such-recipe'"):
        suggestion_sheet("no-such-recipe", tmp_path, ["mine"])
