"""Published layouts of data sets that users fetch themselves: whose each image is, for what, and which are taken."""

from vaescreen.registry.layouts import brats, mimic_cxr, mrnet
from vaescreen.registry.layouts.base import Chosen, Layout

__all__ = ["LAYOUTS", "Chosen", "Layout"]

LAYOUTS: dict[str, Layout] = {each.name: each for each in (mrnet.LAYOUT, brats.LAYOUT, mimic_cxr.LAYOUT)}
