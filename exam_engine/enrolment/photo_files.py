"""Photos of candidates from a folder or an archive: named by candidate number, re-encoded, nothing else of them kept.

Re-encoding drops what a phone writes beside the picture (place, time, device) and anything hidden in the file.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

import msgspec
from PIL import Image, ImageOps

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
WIDTH, HEIGHT = 300, 400  # what the card shows, at twice its size
QUALITY = 82
MAXIMUM_FILE_BYTES = 20_000_000
MAXIMUM_ARCHIVE_BYTES = 4_000_000_000
MAXIMUM_PIXELS = 60_000_000
MAXIMUM_PHOTOS = 50_000


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as we keep it."""

    sha256: str
    content: bytes  # JPEG
    width: int
    height: int


class PhotoFile(msgspec.Struct, frozen=True):
    """A file as it was given: its name, and the candidate number its name says."""

    name: str
    number: str
    content: bytes


def read_photo_files(path: Path) -> Iterator[PhotoFile]:
    """Read the pictures of a folder or a ZIP archive, one after another.

    Raises
    ------
    FileRefused
        There are none, too many, one is too large, or two are for the same number.
    """
    files = _from_archive(path.name, path.read_bytes()) if path.is_file() else _from_folder(path)
    return _checked(path.name, files)


def read_photo_archive(name: str, content: bytes) -> Iterator[PhotoFile]:
    """Read the pictures of a ZIP archive that was sent; as `read_photo_files`."""
    return _checked(name, _from_archive(name, content))


def re_encode(file: PhotoFile) -> Photo:
    """Turn a picture upright, cut it to three by four, make it small, and write it anew.

    Raises
    ------
    FileRefused
        It is not a picture we can read, or larger than any photo.
    """
    try:
        with Image.open(io.BytesIO(file.content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise _refused(file.name, N_("the picture has more than {limit} million points"), limit=60)
            picture.draft("RGB", (2 * WIDTH, 2 * HEIGHT))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            fitted = ImageOps.fit(upright, (WIDTH, HEIGHT), Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused(file.name, N_("this is not a JPEG, PNG or WebP picture")) from error
    buffer = io.BytesIO()
    fitted.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    content = buffer.getvalue()
    return Photo(sha256=sha256(content).hexdigest(), content=content, width=fitted.width, height=fitted.height)


def _checked(name: str, files: Iterator[PhotoFile]) -> Iterator[PhotoFile]:
    seen: dict[str, str] = {}
    for file in files:
        if file.number in seen:
            raise _refused(
                file.name, N_("{other} is for candidate {number} as well"), other=seen[file.number], number=file.number
            )
        seen[file.number] = file.name
        if len(seen) > MAXIMUM_PHOTOS:
            raise _refused(name, N_("there are more than {limit} photos"), limit=MAXIMUM_PHOTOS)
        yield file
    if not seen:
        raise _refused(name, N_("no picture was found; they are named by candidate number, as 31000001.jpg"))


def _from_folder(folder: Path) -> Iterator[PhotoFile]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _is_picture(path.name):
            if path.stat().st_size > MAXIMUM_FILE_BYTES:
                raise _too_large(path.name)
            yield PhotoFile(path.name, path.stem.strip(), path.read_bytes())


def _from_archive(name: str, content: bytes) -> Iterator[PhotoFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = _entries(name, archive)
            for entry in entries:
                path = PurePosixPath(entry.filename)
                yield PhotoFile(path.name, path.stem.strip(), archive.read(entry))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _refused(name, N_("the file is not a ZIP archive we can open")) from error


def _entries(name: str, archive: zipfile.ZipFile) -> Sequence[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if _is_picture(PurePosixPath(entry.filename).name)]
    # The directory of an archive says how much it unpacks to; reading stops at that size.
    if sum(entry.file_size for entry in entries) > MAXIMUM_ARCHIVE_BYTES:
        raise _refused(name, N_("the file unpacks to more than {limit} MB"), limit=MAXIMUM_ARCHIVE_BYTES // 1_000_000)
    for entry in entries:
        if entry.file_size > MAXIMUM_FILE_BYTES:
            raise _too_large(entry.filename)
    return sorted(entries, key=lambda entry: entry.filename)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not name.startswith((".", "__"))


def _too_large(name: str) -> FileRefused:
    return _refused(name, N_("the file is larger than {limit} MB"), limit=MAXIMUM_FILE_BYTES // 1_000_000)


def _refused(name: str, message: str, **facts: str | int) -> FileRefused:
    return FileRefused(name, [RowError("file", message.format(**facts), message=message, facts=dict(facts))])
