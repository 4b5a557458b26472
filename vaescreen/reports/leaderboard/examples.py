"""A picture of what autoencoders keep: HR, reconstruction and error map on one generated phantom."""

from collections.abc import Mapping
from pathlib import Path

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.errors import DataError
from vaescreen.images import DataSet
from vaescreen.metrics.fidelity import psnr
from vaescreen.reports.drawing import new_figure, save
from vaescreen.storage import write_bytes

ERROR_RANGE = 0.1


def draw_examples(autoencoders: Mapping[str, Autoencoder], data: DataSet, path: Path) -> None:
    """Draw the first test image of a phantom set, its reconstructions and their errors, as a PNG file.

    Parameters
    ----------
    autoencoders
        By the name to be shown; they run on the CPU.
    data
        A phantom set: pictures of real images are never part of the project.
    path
        File to write.

    Raises
    ------
    DataError
        If the data set is of real images.
    VaescreenError
        If matplotlib is not installed.
    """
    if data.kind != "phantom":
        raise DataError(f"{data.name} has real images; examples are drawn on phantoms: try `chest-phantom`")
    hr = next(data.batches("test", 1)).images
    figure = new_figure(2.6 * (len(autoencoders) + 1), 5.6)
    axes = figure.subplots(2, len(autoencoders) + 1, squeeze=False)
    for each in axes.flat:
        each.set_axis_off()
    axes[0, 0].imshow(hr[0, 0].numpy(), cmap="gray", vmin=0, vmax=1)
    axes[0, 0].set_title(f"HR ({data.name})", fontsize="medium")
    for column, (name, autoencoder) in enumerate(autoencoders.items(), start=1):
        estimate = autoencoder.decode(autoencoder.encode(hr), (hr.shape[-2], hr.shape[-1]))
        axes[0, column].imshow(estimate[0, 0].numpy(), cmap="gray", vmin=0, vmax=1)
        axes[0, column].set_title(f"{name}\n{psnr(hr, estimate).item():.2f} dB", fontsize="medium")
        error = (estimate - hr)[0, 0].numpy()
        shown = axes[1, column].imshow(error, cmap="RdBu_r", vmin=-ERROR_RANGE, vmax=ERROR_RANGE)
    if autoencoders:
        bar = figure.colorbar(shown, ax=axes[1, 0], fraction=0.6, aspect=8, location="left")
        bar.set_label("reconstruction − HR")
    write_bytes(path, save(figure, "png", f"{data.name}, {', '.join(autoencoders)}"))
