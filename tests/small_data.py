"""Entries of data sets for tests, and small data sets as archives."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from small import write_pictures


def write_entries(folder: Path, **entries: dict[str, Any]) -> Path:
    """Write `data.yaml`, a registry file of data sets: what is not said of one is made up."""
    made_up = {"title": "Pictures", "domain": "other", "licence": "CC0-1.0"}
    data = {name.replace("_", "-"): made_up | fields for name, fields in entries.items()}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "data.yaml"
    file.write_text(json.dumps({"data": data}))  # JSON is YAML
    return file


def zipped_pictures(scratch: Path, count: int = 6) -> bytes:
    """A zip of a folder `pictures` with PNGs."""
    folder = write_pictures(scratch / "pictures", count=count)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, f"pictures/{path.name}")
    return stream.getvalue()
