"""Files of a candidate before anything is made of them: what they are, their hashes, small text files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from vaescreen.errors import CandidateError
from vaescreen.registry.settings import Settings
from vaescreen.storage import cache_dir, digest, placeholder

MAX_TEXT_BYTES = 5_000_000


class _PlainValues(SafeConstructor):
    """Tuples as lists: PyYAML writes those of Python with a tag of its own."""


_PlainValues.add_constructor("tag:yaml.org,2002:python/tuple", SafeConstructor.construct_yaml_seq)


class WeightFiles(NamedTuple):
    """Configuration and weights of one network.

    Where weights are split, `weights` is their index and `shards` are the files that hold them. Where each file
    holds a part of the network, `parts` names them in the order of the files. Where there is no file for the
    configuration, `config` is the weight file: that of a published network stands in its registry entry, that of a
    first stage is told by its tensors.
    """

    config: Path
    weights: Path
    shards: tuple[Path, ...] = ()
    parts: tuple[str, ...] = ()


def fetched_again(path: Path, name: str) -> str:
    """How a damaged file of candidate `name` is replaced, to end a message with."""
    of_a_cache = cache_dir() in path.parents or any(p.name.startswith("models--") for p in path.parents)
    return f"`vaescreen registry pull {name}` fetches it again" if of_a_cache else "fetch it again"


def stays_inside(link: Path) -> bool:
    """Whether a link ends in its own folder, or in the cache folder of the repository that it belongs to."""
    folders = [link.absolute().parent, *(p for p in link.absolute().parents if p.name.startswith("models--"))]
    return any(link.resolve().is_relative_to(folder.resolve()) for folder in folders)


def refuse_placeholder(path: Path, name: str) -> None:
    """Refuse a file of candidate `name` that is not what its name says.

    Raises
    ------
    CandidateError
        If it cannot be read, is empty, a Git LFS pointer or an HTML page.
    """
    try:
        if not path.is_file():
            where = f" (it is a link to {path.resolve()})" if path.is_symlink() else ""
            raise CandidateError(f"{name}: {path} is missing, or is no plain file{where}")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CandidateError(f"{name}: cannot read {path} ({error.strerror})") from error
    if not head:
        raise CandidateError(f"{name}: {path} is empty; {fetched_again(path, name)}")
    if instead := placeholder(head):
        mend = "run `git lfs pull` there" if "LFS" in instead else fetched_again(path, name)
        raise CandidateError(f"{name}: {path} is {instead}, not the file; {mend}")


def _check_text(path: Path, name: str) -> None:
    refuse_placeholder(path, name)
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise CandidateError(
            f"{name}: {path} is larger than {MAX_TEXT_BYTES / 1e6:.0f} MB; it is no configuration"
        )


def read_json_object(path: Path, name: str) -> dict[str, Any]:
    """Read a JSON object that belongs to candidate `name`.

    Raises
    ------
    CandidateError
        If the file cannot be read, is larger than 5 MB, or is not a JSON object.
    """
    _check_text(path, name)
    try:
        # Some editors begin it with a byte order mark.
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CandidateError(f"{name}: {path} is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise CandidateError(f"{name}: {path} is not a JSON object")
    return value


def read_yaml_mapping(path: Path, name: str) -> dict[str, Any]:
    """Read a YAML mapping that belongs to candidate `name`: plain values, anchors and aliases among them.

    Raises
    ------
    CandidateError
        If the file cannot be read, is larger than 5 MB or stands for far more than that, or is not such a mapping.
    """
    _check_text(path, name)
    try:
        value = _plain_yaml().load(path.read_text(encoding="utf-8"))
    except (YAMLError, ValueError, RecursionError) as error:
        raise CandidateError(
            f"{name}: {path} is not valid YAML ({' '.join(str(error).split())[:150]})"
        ) from error
    if not isinstance(value, dict):
        raise CandidateError(f"{name}: {path} is not a YAML mapping")
    if _expanded(value, {}) > MAX_TEXT_BYTES:
        raise CandidateError(
            f"{name}: {path} stands for far more than it holds: its aliases multiply; write it out"
        )
    return value


def _plain_yaml() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _PlainValues
    return reader


def _expanded(value: Any, known: dict[int, int]) -> int:
    """Number of values with every alias written out."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if id(value) not in known:
        known[id(value)] = 1 + sum(_expanded(part, known) for part in parts)
    return known[id(value)]


def file_sha256(path: Path, name: str) -> str:
    """Sha256 (hex) of a file of candidate `name`, read in pieces.

    Raises
    ------
    CandidateError
        As for `refuse_placeholder`.
    """
    refuse_placeholder(path, name)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CandidateError(f"{name}: cannot read {path} ({error.strerror})") from error


def weights_sha256(files: WeightFiles, name: str) -> str:
    """Sha256 (hex) of the weights of candidate `name`: of their file, or over the hashes of all shards in order."""
    if not files.shards:
        return file_sha256(files.weights, name)
    hashes = [file_sha256(shard, name) for shard in files.shards]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def network_fingerprint(config: Mapping[str, Any], weights: str, settings: Settings) -> str:
    """Sha256 (hex) of the hash of the weights, the configuration and the settings that are not the default.

    Of the configuration less what only records how the file was written.
    """
    public = {key: value for key, value in config.items() if key == "_class_name" or not key.startswith("_")}
    changed = settings.changed()
    return digest(weights, public, changed) if changed else digest(weights, public)
