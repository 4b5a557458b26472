"""Where images come from: data sets by name, folders of files, and phantoms that the package draws itself.

`opening` is the door: `open_data` gives a `DataSet`: train, val and test images as float32 `[B, 1, H, W]` in [0, 1],
streamed in batches, with an id and a patient for each; `options` keep in one piece what is said of them on a command
line. `naming` says what a name means on this machine, `fetching` brings published data sets to it, and `adding` takes
the user's own folders into a registry.

`formats` read one file at its full bit depth, as `registry.reading` and `levels` say, and the last one opened is
`held`; `files` turns what decoders raise into reasons, `framing` brings an image to size. `contents`, `folder`,
`listing` and `manifest` say what a folder or a list holds, `ids` what images are called, `patients` whose they are, and
`privacy` hides it; a `declaration` says what is known of a folder beforehand. `assignment` and `splits` give every
patient to one split; `scanning` looks at each image once, which `memo` recalls, and makes the fingerprint.
`degradation` makes low-resolution versions; `phantoms` and `generated` are the data of a machine without data.
"""

from vaescreen.images.dataset import Batch, DataSet, Skipped
from vaescreen.images.declaration import Declaration
from vaescreen.images.naming import declared
from vaescreen.images.opening import open_data
from vaescreen.images.options import DataOptions
from vaescreen.images.scanning import OnImages
from vaescreen.registry.reading import Reading

__all__ = [
    "Batch",
    "DataOptions",
    "DataSet",
    "Declaration",
    "OnImages",
    "Reading",
    "Skipped",
    "declared",
    "open_data",
]
