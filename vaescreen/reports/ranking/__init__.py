"""A ranking as one HTML page: `report` gathers, `charts` draws, `examples` chooses images and reconstructs them."""
