"""Where a data set comes from: the kinds of `source` that its registry entry may have."""

from typing import Annotated

from pydantic import AfterValidator, Discriminator, PositiveInt, Tag

from vaescreen.registry.sources import HubId, LocalPath, Revision, Sha256, Strict, Url, formed, key_among

FileUrl = Annotated[
    str,
    formed(
        r"(https://[A-Za-z0-9][\w.-]*|http://(127\.0\.0\.1|localhost))(:\d+)?(/[\w.~%+-]+)+",
        "the https:// address of a file is expected",
    ),
]
"""Address of a file: https, or http on this very machine."""
Md5 = Annotated[str, formed(r"[0-9a-f]{32}", "the 32 digits of an md5 are expected")]
Pattern = Annotated[
    str,
    formed(
        r"[\w*?.\[\]-]+(/[\w*?.\[\]-]+)*", "files in the repository are expected, such as images/*.png", 200
    ),
]


class HubData(Strict):
    """A data set on the Hugging Face hub; `files` are patterns of the files wanted, all by default."""

    hub: HubId
    revision: Revision
    files: tuple[Pattern, ...] = ()


class WebFile(Strict):
    """A file on the web: bytes, and hashes as they are published."""

    url: FileUrl
    size: PositiveInt | None = None
    sha256: Sha256 | None = None
    md5: Md5 | None = None

    @property
    def name(self) -> str:
        """What it is called on this machine."""
        return self.url.rpartition("/")[2]


def _named_apart(files: tuple[WebFile, ...]) -> tuple[WebFile, ...]:
    names = [file.name for file in files]
    if not names:
        raise ValueError("give at least one file")
    for name in names:
        if name.startswith("."):
            raise ValueError(f"{name} is no file name")
        if names.count(name) > 1:
            raise ValueError(f"two files are called {name}")
    return files


class WebData(Strict):
    """Files on the web; archives among them are unpacked."""

    urls: Annotated[tuple[WebFile, ...], AfterValidator(_named_apart)]


class FolderData(Strict):
    """A folder on this machine; a relative path counts from the folder of the registry file."""

    path: LocalPath


class CredentialedData(Strict):
    """A data set that is given out to registered users only, at this page: the user fetches it and gives the folder."""

    credentialed: Url


DATA_SOURCES: dict[str, type[Strict]] = {
    "hub": HubData,
    "urls": WebData,
    "path": FolderData,
    "credentialed": CredentialedData,
}
"""The kinds of source of a data set, by the key that tells them apart."""


DataSource = Annotated[
    Annotated[HubData, Tag("hub")]
    | Annotated[WebData, Tag("urls")]
    | Annotated[FolderData, Tag("path")]
    | Annotated[CredentialedData, Tag("credentialed")],
    Discriminator(
        lambda value: key_among(DATA_SOURCES, value),
        custom_error_type="source",
        custom_error_message=f"must be a mapping with one of the keys {', '.join(DATA_SOURCES)}",
    ),
]
