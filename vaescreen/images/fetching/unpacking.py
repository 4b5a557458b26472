"""A fetched archive becomes a folder of its own, and touches nothing else."""

import shutil
from pathlib import Path, PurePosixPath

from vaescreen.errors import DataError
from vaescreen.images import archives


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive into the folder `target`, which must not exist and is there only if all went well.

    Only plain files and folders are made, with the permissions of new files; what is there is not overwritten.

    Raises
    ------
    DataError
        If the archive is damaged, or a member would leave the folder, is a link or a device, stands twice, or
        what comes out is out of all proportion; or the disk is full.
    """
    unfinished = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with archives.understood(archive), archive.open("rb") as stream:
            unfinished.mkdir(parents=True)
            bound = max(archives.ALWAYS_FINE, archives.LARGEST_RATIO * archive.stat().st_size)
            total = 0
            for member in archives.members(stream):
                if member.problem:
                    raise DataError(
                        f"{archive.name} holds {member.name[:80]!r}, which {member.problem}; nothing is unpacked"
                    )
                place = unfinished / PurePosixPath(member.name)
                if not member.is_file:
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                total += member.size
                if total > bound:
                    raise DataError(
                        f"{archive.name} would unpack to more than {bound / 1e6:.0f} MB; it is not unpacked"
                    )
                try:
                    archives.copy(member, place)
                except FileExistsError as error:
                    raise DataError(f"{archive.name} holds a name twice ({place.name})") from error
            unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
