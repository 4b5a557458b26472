"""Entries of autoencoders and data sets: their schema, and the YAML files that hold them, read and edited."""
