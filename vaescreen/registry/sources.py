"""Where an autoencoder comes from: the kinds of `source` that a registry entry may have."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    PrivateAttr,
    StringConstraints,
    Tag,
    ValidationInfo,
)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


def formed(pattern: str, words: str, max_length: int = 400) -> AfterValidator:
    """Check of a text, which says in words what the pattern asks for."""

    def check(text: str) -> str:
        if len(text) > max_length:
            raise ValueError(f"must have at most {max_length} characters")
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text[:60]!r} is none; {words}")
        return text

    return AfterValidator(check)


_SEGMENT = r"[A-Za-z0-9_][\w.+-]*"
Name = Annotated[
    str,
    formed(
        r"[a-z0-9][a-z0-9._-]*",
        "use lower-case letters, digits, `.`, `_` and `-`, a letter or digit first",
        64,
    ),
]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(_printable)]
HubId = Annotated[
    str,
    formed(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", "ORG/NAME is expected, as on the repository's page"),
]
Revision = Annotated[
    str, formed(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", "a commit, a branch or a tag is expected")
]
Commit = Annotated[str, formed(r"[0-9a-f]{40}", "the 40 digits of a commit are expected")]
Subfolder = Annotated[
    str, formed(rf"{_SEGMENT}(/{_SEGMENT})*", "a folder inside the repository is expected, such as vae")
]
FileName = Annotated[
    str,
    formed(r"(?!.*(^|/)\.)[^/\\\x00-\x1f]+(/[^/\\\x00-\x1f]+)*", "a file inside the folder is expected", 200),
]
RepositoryPath = Annotated[
    str, formed(rf"{_SEGMENT}(/{_SEGMENT})*", "a path in the repository is expected", 200)
]
Variant = Annotated[str, formed(r"[A-Za-z0-9_-]+", "a word such as fp16 is expected", 32)]
Url = Annotated[
    str, formed(r"https://[A-Za-z0-9][\w./%-]*", "an address that begins with https:// is expected")
]
Sha256 = Annotated[str, formed(r"[0-9a-f]{64}", "the 64 digits of a sha256 are expected")]
Factory = Annotated[
    str,
    formed(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", "package.module:factory is expected", 200),
]


class Strict(BaseModel):
    """Base of everything read from a registry: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Entry(Strict):
    """Base of what stands in a registry file by its name."""

    _doubtful: Path | None = PrivateAttr(None)

    def doubted(self, file: Path) -> Self:
        """Give the same entry, marked as one of a registry file that the user has not said yes to."""
        copy = self.model_copy()
        copy._doubtful = file
        return copy

    @property
    def doubtful(self) -> Path | None:
        """The registry file of an entry that may run no code and read nothing outside that file's folder.

        See `vaescreen.registry.trust`.
        """
        return self._doubtful


class HubSource(Strict):
    """A repository on the Hugging Face hub; `revision` is a commit, or a branch while none is confirmed.

    `weights` and `config` name files in `subfolder` where the layout has no names of its own; `variant` is
    diffusers' word for weights such as `fp16` beside the plain ones.
    """

    hub: HubId
    revision: Revision
    subfolder: Subfolder | None = None
    weights: FileName | None = None
    config: FileName | None = None
    variant: Variant | None = None


def _from_registry_folder(path: Path, info: ValidationInfo) -> Path:
    _printable(str(path))
    if ".." in path.parts:
        raise ValueError("a path must not climb with `..`; write it from the root")
    base: Path = info.context["folder"] if info.context else Path()
    try:
        return base / path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


LocalPath = Annotated[Path, AfterValidator(_from_registry_folder)]


def path_below(folder: Path, place: Path) -> str:
    """Path as text, relative to `folder` if it is inside; a leading `~` would be read as a home folder."""
    inside = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else "~"
    return place.as_posix() if inside.startswith("~") else inside


class PathSource(Strict):
    """A local folder or weight file; a relative path counts from the folder of the registry file.

    `weights`, `config` and `variant` are as for the hub.
    """

    path: LocalPath
    weights: FileName | None = None
    config: FileName | None = None
    variant: Variant | None = None


class WebSource(Strict):
    """An archive that the user fetches and unpacks: it lies on a site that is no hub of pinned files."""

    download: Url


class ModuleSource(Strict):
    """The user's own code: `package.module:factory`, imported when the candidate is opened.

    `folder` is where the module lies if it is not installed.
    """

    module: Factory
    folder: LocalPath | None = None


class RepositoryFile(Strict):
    """One file of a repository: its `path` there, bytes and hash.

    Where a network comes in several files, `part` is the part of the network that this one holds.
    """

    path: RepositoryPath
    size: PositiveInt
    sha256: Sha256
    part: Name | None = None


class GithubSource(Strict):
    """Weights in a repository on GitHub, at one commit; `network` names the published network they belong to.

    See `vaescreen.autoencoders.published`.
    """

    github: HubId
    revision: Commit
    network: Name
    files: Annotated[tuple[RepositoryFile, ...], Field(min_length=1)]


class BundledSource(Strict):
    """Weights that the package carries: a folder under `vaescreen/autoencoders/bundled`."""

    bundled: Name


class LinearSource(Strict):
    """A training-free linear codec: first coefficients of a patch PCA, a block DCT or a Haar transform.

    `scrambled` is a control: patch PCA whose latents cannot be predicted.
    """

    basis: Literal["pca", "dct", "haar", "scrambled"]


SOURCES: dict[str, type[Strict]] = {
    "hub": HubSource,
    "path": PathSource,
    "download": WebSource,
    "github": GithubSource,
    "module": ModuleSource,
    "bundled": BundledSource,
    "basis": LinearSource,
}
"""The kinds of source, by the key that tells them apart."""


def key_among(kinds: Mapping[str, type[Strict]], value: Any) -> str | None:
    """Key of `kinds` that a source, or a mapping that is to become one, stands under."""
    if isinstance(value, Strict):
        return next((key for key, kind in kinds.items() if isinstance(value, kind)), None)
    return next((key for key in kinds if isinstance(value, dict) and key in value), None)


def source_key(value: Any) -> str | None:
    """Key of `SOURCES` that a source of a candidate stands under."""
    return key_among(SOURCES, value)


Source = Annotated[
    Annotated[HubSource, Tag("hub")]
    | Annotated[PathSource, Tag("path")]
    | Annotated[WebSource, Tag("download")]
    | Annotated[GithubSource, Tag("github")]
    | Annotated[ModuleSource, Tag("module")]
    | Annotated[BundledSource, Tag("bundled")]
    | Annotated[LinearSource, Tag("basis")],
    Discriminator(
        source_key,
        custom_error_type="source",
        custom_error_message=f"must be a mapping with one of the keys {', '.join(SOURCES)}",
    ),
]
