"""How the bundled autoencoders were made: `python -m benchmarks.bundling --chest DIR`.

architecture (an AutoencoderDC for each geometry) -> warm_start (it begins as patch PCA) -> corpus (what it sees)
-> training (Adam on the mean log error) -> folders under `vaescreen/autoencoders/bundled`, each with its training log.

A patch PCA is a strong floor. From random weights a network of this size needs hours of CPU to reach it; one that
begins as the PCA passes it within minutes. AutoencoderDC is the diffusers class in which a patch transform can be
written down exactly: it shuffles pixels into channels and back, where AutoencoderKL and AutoencoderTiny repeat
pixels and blur.
"""
