"""Published super-resolution networks from a weight file of the user, by the library spandrel (extra `spandrel`)."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.checkpoint import read_tensors
from vaescreen.autoencoders.files import WeightFiles, file_sha256
from vaescreen.errors import CandidateError
from vaescreen.superres.baselines.files import Baseline
from vaescreen.superres.baselines.scoring import Upscaler


def open_published(path: Path, scale: int, device: str = "cpu") -> tuple[Baseline, Upscaler]:
    """Recognise the architecture of a weight file (SwinIR, ESRGAN and many more) and make an upscaler of it.

    Tensors are read without running what a file carries. Gray is repeated to the network's input channels and
    its output channels are averaged; images go one at a time, in float32, in [0, 1].

    Parameters
    ----------
    path
        Safetensors, or a PyTorch file of tensors only.
    scale
        HR pixels to an LR pixel that are wanted.
    device
        Where to run.

    Raises
    ------
    CandidateError
        If spandrel is absent, the file is unsafe or of no known architecture, or the scale is another.
    """
    name = path.stem
    if not path.is_file():
        raise CandidateError(
            f"{path} is no baseline and no weight file; give nearest, bicubic, lanczos, regression or a file"
        )
    try:
        from spandrel import ImageModelDescriptor, ModelLoader
    except ImportError as error:
        raise CandidateError("published networks need spandrel: pip install 'vaescreen[spandrel]'") from error
    state = read_tensors(WeightFiles(path, path), name)
    try:
        model: Any = ModelLoader(device).load_from_state_dict(state)
    except Exception as error:  # spandrel tries one architecture after the other, which may fail in any way
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise CandidateError(f"{name}: spandrel does not know the network of {path} ({reason})") from error
    if not isinstance(model, ImageModelDescriptor):
        raise CandidateError(f"{name}: {model.architecture.name} takes more than an image; give an upscaler")
    if model.scale != scale:
        raise CandidateError(
            f"{name}: enlarges {model.scale} times where {scale} times is due; give another file"
        )
    model.eval().float()

    def upscale(lr: Tensor, size: tuple[int, int]) -> Tensor:
        colours = lr.to(device, torch.float32).expand(-1, model.input_channels, -1, -1)
        each = [model(colours[n : n + 1].contiguous()) for n in range(len(colours))]
        return torch.cat(each).mean(dim=1, keepdim=True)[..., : size[0], : size[1]].clamp(0, 1).to(lr.device)

    details = {
        "architecture": model.architecture.name,
        "channels": model.input_channels,
        "library": "spandrel",
    }
    return Baseline(name, "published", file_sha256(path, name), details), upscale
