"""Statistics of per-image values in which the patient, not the image, is the independent unit."""
