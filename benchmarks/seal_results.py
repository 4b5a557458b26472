"""Give result files that an older version wrote the checksums that newer ones write.

    python -m benchmarks.seal_results leaderboards/results

Results are linted first, as `vaescreen publish` does: what is wrong now would be sealed as it is. Files that have a
checksum stay as they are, byte for byte.
"""

import argparse
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from vaescreen.ranking.results import read_results, result_files
from vaescreen.storage import TABLE_SEAL, is_sealed, read_json, write_json
from vaescreen.superres.outputs import OUTPUTS_SEAL, outputs_path


def main(arguments: Sequence[str] | None = None) -> None:
    """Seal every file that has no checksum yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="folder of results")
    results = parser.parse_args(arguments).results
    read_results(results)
    bare = [path for path in result_files(results) if not is_sealed(path)]
    for path in bare:
        seal(path)
    print(f"{len(bare)} files sealed")


def seal(path: Path) -> None:
    """Write a result again with its checksum and the hashes of what lies beside it."""
    record = read_json(path)
    beside = {TABLE_SEAL: path.with_suffix(".parquet"), OUTPUTS_SEAL: outputs_path(path)}
    hashes = {key: sha256(file.read_bytes()).hexdigest() for key, file in beside.items() if file.is_file()}
    write_json(path, record | hashes)


if __name__ == "__main__":
    main()
