"""The built front end: hashed files kept for ever, compressed once a process, never per request."""

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import brotli
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import File

from api.pages.templating import DIST

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
ALREADY_SMALL = {".ico", ".png", ".woff2"}
FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{name:path}", include_in_schema=False)
async def asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Answer a built file in the smallest encoding the browser takes."""
    path = built_files().get(name.lstrip("/"))
    if path is None:
        raise NotFoundException
    accepted = request.headers.get("accept-encoding", "")
    encoding = next((one for one in ("br", "gzip") if one in accepted), "") if path.suffix not in ALREADY_SMALL else ""
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(content_of(path, encoding), media_type=MEDIA_TYPES[path.suffix], headers=headers)


@get(["/exam", "/exam/"], include_in_schema=False)
async def player_page() -> File:
    """The candidate's page: a static shell, the same for everybody."""
    return _fresh_file("exam.html", MEDIA_TYPES[".html"])


@get("/exam/worker.js", include_in_schema=False)
async def player_worker() -> File:
    """The player's service worker; it must stand below /exam/ to rule there, and must never be kept."""
    return _fresh_file("exam/worker.js", MEDIA_TYPES[".js"])


@cache
def built_files() -> dict[str, Path]:
    """Return the files of the build by name: what is not listed here cannot be asked for, whatever its path says."""
    return {
        path.relative_to(DIST).as_posix(): path
        for path in DIST.rglob("*")
        if path.is_file() and path.suffix in MEDIA_TYPES
    }


@cache
def content_of(path: Path, encoding: str) -> bytes:
    """Return a file in an encoding; each is made once."""
    content = path.read_bytes()
    match encoding:
        case "br":
            return bytes(brotli.compress(content, quality=9))
        case "gzip":
            return gzip.compress(content, 9, mtime=0)
        case _:
            return content


def _fresh_file(name: str, media_type: str) -> File:
    return File(
        DIST / name,
        media_type=media_type,
        content_disposition_type="inline",
        headers={"Cache-Control": "no-cache"},
    )
