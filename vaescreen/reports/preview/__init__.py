"""A first look at a data set: one sheet of pictures, distributions and doubts, before anything is measured.

`artefacts` and `spectra` look at one image, `duplicates` at images of different splits; `survey` streams a data set
through them at constant memory, `sheet` draws the outcome, `page` makes one HTML file of it, and `report` does it all.
"""
