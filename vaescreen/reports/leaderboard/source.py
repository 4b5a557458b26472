"""Results on one data set: known by a digest of their files, and read only when somebody asks what is in them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vaescreen.ranking.results import Results, read_results
from vaescreen.storage import digest

_KINDS = ("scores/{data}", "reference/*/{data}", "baselines/*/{data}", "reproduced/{data}")


@dataclass(frozen=True)
class Contents:
    """What is in the results on one data set.

    Attributes
    ----------
    candidates : list of str
        Those with a sound score card.
    points : list of str
        Files of sound reference points of those candidates, below the folder of results.
    private : bool
        Whether the images are not to be told of.
    doubts : list of str
        Which files are left out, and why.
    """

    candidates: list[str]
    points: list[str]
    private: bool
    doubts: list[str]


class Source:
    """The results on one data set in a folder."""

    def __init__(self, folder: Path, data: str) -> None:
        self.folder = folder
        self.data = data

    @cached_property
    def digest(self) -> str:
        """Hash of all files, names and content."""
        files = [
            path
            for kind in _KINDS
            for place in self.folder.glob(kind.format(data=self.data))
            for path in place.iterdir()
            if path.is_file()
        ]
        return digest(
            *(
                part
                for path in sorted(files)
                for part in (str(path.relative_to(self.folder)), path.read_bytes())
            )
        )

    @property
    def results(self) -> Results:
        """What is sound of them."""
        return self._read[0]

    @property
    def contents(self) -> Contents:
        """Say what is in them, and what is left out."""
        results, doubts = self._read
        cards = results.cards.get(self.data, {})
        points = [
            str(file.path)
            for by_data in results.references.values()
            for candidate, seeds in by_data.get(self.data, {}).items()
            if candidate in cards
            for file in seeds.values()
        ]
        private = any(file.record["data"]["description"].get("private") for file in cards.values())
        return Contents(list(cards), points, private, doubts)

    @cached_property
    def _read(self) -> tuple[Results, list[str]]:
        doubts: list[str] = []
        return read_results(self.folder, doubts, self.data), doubts


def sources(folder: Path) -> dict[str, Source]:
    """Results by data set.

    Raises
    ------
    ResultError
        If there are none.
    """
    found = sorted(path.name for path in (folder / "scores").glob("*") if path.is_dir())
    if not found:
        read_results(folder)  # says what is missing, and how it is made
    return {data: Source(folder, data) for data in found}
