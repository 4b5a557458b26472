"""What the bundled autoencoders gain over patch PCA, each on its own domain.

`python -m benchmarks.bundling.gains --chest DIR` prints the table: AE ceiling on the test images of the
domain (real chest X-rays, or generated dead leaves), of the autoencoder and of the patch PCA of its geometry, which
is fitted on the train images of that domain and size. Neither has seen the test images.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.bundling.architecture import GEOMETRIES
from benchmarks.bundling.corpus import DOMAINS, SIZES, Domain, domain_images
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.linear import LinearCodec, patch_pca
from vaescreen.autoencoders.networks import load_network
from vaescreen.errors import VaescreenError
from vaescreen.metrics.fidelity import psnr
from vaescreen.registry.catalogue import Registry

BATCH = 16


def ceiling(autoencoder: Autoencoder, images: Tensor) -> float:
    """Mean PSNR in dB of decode(encode(images)), images `[N, 1, H, W]` in [0, 1]."""
    size = (images.shape[-2], images.shape[-1])
    values = [psnr(part, autoencoder.decode(autoencoder.encode(part), size)) for part in images.split(BATCH)]
    return float(torch.cat(values).mean())


def gains(domain: Domain, chest: Path, size: int) -> dict[str, tuple[float, float]]:
    """AE ceiling in dB of each bundled autoencoder of a domain, and of the patch PCA of its geometry.

    Raises
    ------
    VaescreenError
        If the chest images or the bundled weights cannot be used.
    """
    registry = Registry.load()
    train, test = (domain_images(domain, chest, split, size) for split in ("train", "test"))
    found = {}
    for geometry in GEOMETRIES:
        mean, vectors = patch_pca(train.split(BATCH), geometry.factor)
        pca = LinearCodec(vectors[: geometry.channels], geometry.factor, "not needed", mean)
        name = f"{domain}-{geometry}"
        found[name] = ceiling(load_network(registry.candidate(name)), test), ceiling(pca, test)
    return found


def main() -> None:
    """Print the gains as a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundling.gains", description=__doc__)
    parser.add_argument(
        "--chest", type=Path, required=True, help="folder of the chest X-rays (train, val, test)"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| autoencoder |" + "".join(f" {s} px: AE ceiling | patch PCA | gain |" for s in SIZES))
    print("|---|" + "---:|---:|---:|" * len(SIZES))
    try:
        for domain in DOMAINS:
            by_size = [gains(domain, options.chest, size) for size in SIZES]
            for name in by_size[0]:
                cells = [
                    f" {own:.2f} | {pca:.2f} | {own - pca:+.2f} |" for own, pca in (g[name] for g in by_size)
                ]
                print(f"| {name} |" + "".join(cells), flush=True)
    except VaescreenError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
