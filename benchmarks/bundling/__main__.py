"""Train the bundled autoencoders: `python -m benchmarks.bundling --chest DIR [NAME ...]`.

What is finished stays as it is, what was interrupted goes on. Two processes with different names share two cores.
"""

import argparse
import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from benchmarks.bundling.architecture import GEOMETRIES
from benchmarks.bundling.corpus import DOMAINS, SIZES, Corpus, Domain, domain_images
from benchmarks.bundling.gains import ceiling
from benchmarks.bundling.training import Schedule, train
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.environment import environment
from vaescreen.errors import VaescreenError
from vaescreen.storage import cache_dir, write_json

BUNDLED = Path(__file__).parents[2] / "vaescreen" / "autoencoders" / "bundled"
LOG = "training.json"
NAMES = {f"{domain}-{geometry}": (domain, geometry) for domain in DOMAINS for geometry in GEOMETRIES}


def main() -> None:
    """Train the named autoencoders, or all, that have no finished log yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundling", description=__doc__)
    parser.add_argument(
        "--chest", type=Path, required=True, help="folder of the chest X-rays (train, val, test)"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"from {', '.join(NAMES)}")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown name {unknown[0]}; choose from {', '.join(NAMES)}")
    torch.set_num_threads(1)
    corpora: dict[Domain, Corpus] = {}
    try:
        with Progress(console=Console(stderr=True)) as progress:
            for name in options.names or NAMES:
                domain = NAMES[name][0]
                if not (BUNDLED / name / LOG).is_file():
                    if domain not in corpora:
                        corpora[domain] = Corpus(domain, options.chest)
                    _make(name, corpora[domain], progress)
    except VaescreenError as error:
        sys.exit(str(error))


def _make(name: str, corpus: Corpus, progress: Progress) -> None:
    schedule = Schedule()
    checkpoint = cache_dir() / "bundling" / name / "checkpoint.pt"
    network, log = train(NAMES[name][1], corpus, schedule, checkpoint, progress, name)
    network = network.half()
    network.save_pretrained(BUNDLED / name)  # type: ignore[operator]
    network = network.float()
    log |= {
        "command": f"python -m benchmarks.bundling --chest ../shared/data/chest {name}",
        "trained_on": corpus.description,
        "val_psnr": {str(size): _val_psnr(network, corpus.domain, corpus.chest, size) for size in SIZES},
        "environment": environment("cpu"),
    }
    write_json(BUNDLED / name / LOG, log)
    checkpoint.unlink()


def _val_psnr(network: torch.nn.Module, domain: Domain, chest: Path, size: int) -> float:
    """AE ceiling in dB on the val split under the weights as saved."""
    autoencoder = NetworkAutoencoder(network, domain, fingerprint="in training")
    return round(ceiling(autoencoder, domain_images(domain, chest, "val", size)), 3)


if __name__ == "__main__":
    main()
