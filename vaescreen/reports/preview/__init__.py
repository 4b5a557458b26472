"""A first look at a data set: one sheet of pictures, distributions and doubts, before anything is measured.

`artefacts` and `spectra` look at one image, `duplicates` at images of different splits; `survey` streams a data set
through them at constant memory, `page` makes one HTML file of the outcome, and `report` does it all.
"""
