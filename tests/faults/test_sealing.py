"""Committed results: those of older versions are read and counted, sealed ones are checked."""

import pytest
from simulated import simulated

from benchmarks.seal_results import main
from vaescreen.errors import ResultError
from vaescreen.ranking.results import read_results, result_files, without_checksum

__all__ = ["simulated"]


def contents(folder):
    return {path: path.read_bytes() for path in result_files(folder)}


def test_a_changed_digit_is_refused(simulated):
    bare = without_checksum(simulated.folder)
    assert bare == result_files(simulated.folder)
    main([str(simulated.folder)])
    assert without_checksum(simulated.folder) == []
    read_results(simulated.folder)
    sealed = contents(simulated.folder)
    main([str(simulated.folder)])
    assert contents(simulated.folder) == sealed
    path = bare[0]
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(ResultError, match="its content is not what was written"):
        without_checksum(simulated.folder)


def test_another_table_is_refused(simulated):
    main([str(simulated.folder)])
    table = result_files(simulated.folder)[-1].with_suffix(".parquet")
    other = next(
        path for path in simulated.folder.rglob("*.parquet") if path.read_bytes() != table.read_bytes()
    )
    table.write_bytes(other.read_bytes())
    with pytest.raises(ResultError, match="does not belong to the result beside it"):
        read_results(simulated.folder)
