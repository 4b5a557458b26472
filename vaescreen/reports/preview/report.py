"""From the name of a data set to its contact sheet."""

from dataclasses import dataclass
from pathlib import Path

from vaescreen.images import DataOptions, DataSet, OnImages
from vaescreen.images.scanning import ignore
from vaescreen.reports.preview.page import examples_of, page
from vaescreen.reports.preview.survey import Survey, survey
from vaescreen.screening.view import View
from vaescreen.storage import write_bytes
from vaescreen.superres.recipes import DEFAULT, RECIPES


@dataclass(frozen=True)
class Preview:
    """What was seen of a data set.

    Attributes
    ----------
    data
        The images as a recipe takes them.
    view
        Size and degradation.
    survey
        What was seen at native size.
    """

    data: DataSet
    view: View
    survey: Survey

    @property
    def title(self) -> str:
        """One line: which images, how many, real or not."""
        images = sum(count["images"] for count in self.data.description["counts"].values())
        kind = "generated, not of patients" if self.data.kind == "phantom" else "real images"
        return f"{self.data.name}: {images} images ({kind})"

    @property
    def facts(self) -> list[str]:
        """How the images are split, by whom, and how LR versions are made."""
        description, skipped = self.data.description, len(self.data.skipped)
        return [
            f"Patients: {description['patient_rule']}. Splits: {description['split_rule']}.",
            f"Shown at {self.view}; looked at in native size."
            if self.data.kind == "real"
            else f"Shown and looked at in {self.view}.",
            f"{skipped} file{'' if skipped == 1 else 's'} skipped.",
        ]

    @property
    def warnings(self) -> list[str]:
        """What should be settled before anything is measured."""
        return [
            *self.data.warnings,
            *(
                f"{finding.check.name} in {len(finding.ids)} of {finding.images} images: {finding.check.meaning}"
                for finding in self.survey.findings
                if finding.is_warning
            ),
        ]

    def write(self, path: Path, examples: int) -> None:
        """Write the sheet as one HTML page; of private data without pictures.

        Raises
        ------
        VaescreenError
            If the file cannot be written.
        """
        pictures = examples_of(self.data, self.view, examples)
        counts, private = self.data.description["counts"], self.data.private
        write_bytes(
            path, page(self.title, counts, self.facts, self.warnings, pictures, self.survey, private=private)
        )


def preview(
    data: str | Path | DataOptions,
    *,
    view: View = RECIPES[DEFAULT].view,
    registry: Path | None = None,
    on_images: OnImages = ignore,
) -> Preview:
    """Look at all images of a data set, in native size where they have one.

    Parameters
    ----------
    data
        Name of a data set, or a folder of images; with more said of them, `DataOptions`.
    view
        Size and degradation that are shown; by default those of the recipe that ranks.
    registry
        Registry file that is laid over the others.
    on_images
        As `on_progress` of `vaescreen.open_data`.

    Raises
    ------
    VaescreenError
        In one line: data that cannot be used.
    """
    options = DataOptions.of(data)
    framed = options.open(view.size, registry, on_images)
    native = framed if framed.kind == "phantom" else options.open(None, registry, on_images)
    return Preview(framed, view, survey(native, on_images))
