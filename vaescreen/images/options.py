"""What is said of images when they are asked for, in one piece from the command line to the opened data set."""

from dataclasses import dataclass
from pathlib import Path

from vaescreen.images.dataset import DataSet
from vaescreen.images.declaration import Declaration
from vaescreen.images.opening import open_data
from vaescreen.images.scanning import OnImages, ignore


@dataclass(frozen=True)
class DataOptions:
    """Which images, how they are read, and how they are split.

    Attributes
    ----------
    data
        Name of a data set (see `vaescreen.images.declared`), or the path of a folder or list.
    patients
        Regular expression whose first group is the patient.
    name
        What tables call the data.
    private
        Whether ids become hashes, and no name of a file reaches a result.
    window, keep_labels, train_images, test_images, seed
        As for `vaescreen.open_data`.
    """

    data: str | Path | Declaration
    patients: str | None = None
    name: str | None = None
    private: bool = False
    window: str | None = None
    keep_labels: bool = False
    train_images: int | None = None
    test_images: int | None = None
    seed: int = 0

    @classmethod
    def of(cls, data: "str | Path | DataOptions") -> "DataOptions":
        """Options as they are, or those of a name or path about which nothing else is said."""
        return data if isinstance(data, cls) else cls(data)  # type: ignore[arg-type]

    def open(self, size: int | None, registry: Path | None = None, on_progress: OnImages = ignore) -> DataSet:
        """Open the images at a size, as `vaescreen.open_data` does.

        Parameters
        ----------
        size
            Side in pixels; None for the size that each image has.
        registry
            Registry file that is laid over the others.
        on_progress
            See `vaescreen.open_data`.

        Raises
        ------
        VaescreenError
            In one line: what is wrong with the data, an option or the registry.
        """
        return open_data(
            self.data,
            registry=registry,
            size=size,
            patient_pattern=self.patients,
            name=self.name,
            private=self.private,
            window=self.window,
            keep_labels=self.keep_labels,
            train_images=self.train_images,
            test_images=self.test_images,
            seed=self.seed,
            on_progress=on_progress,
        )
