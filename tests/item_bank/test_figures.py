"""Figures: SVG without anything that runs or fetches, pictures without the camera's notes, names by hash."""

import io

import pytest
from PIL import Image

from item_bank.errors import FigureRefused
from item_bank.model.figures import MAXIMUM_BYTES, read_figure


def svg(inside: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def picture(kind: str, *, with_notes: bool = False) -> bytes:
    image = Image.new("RGB", (12, 8), "white")
    notes = image.getexif()
    if with_notes:
        notes[0x0110] = "camera"
    out = io.BytesIO()
    image.save(out, kind, exif=notes) if with_notes else image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "removed"),
    [
        pytest.param(svg("<script>alert(1)</script><path d='M0 0'/>"), "script", id="script"),
        pytest.param(svg("<path d='M0 0' onclick='x'/>"), "onclick", id="event handler"),
        pytest.param(svg("<path d='M0 0'/>", "onload='x'"), "onload", id="handler of the root"),
        pytest.param(svg("<use href='https://example.org/a.svg#b'/>"), "href", id="foreign reference"),
        pytest.param(svg("<path style='fill:url(https://example.org/a)'/>"), "style:fill", id="foreign paint"),
        pytest.param(svg("<path fill='url(javascript:x)'/>"), "fill", id="script as paint"),
    ],
)
def test_what_runs_or_fetches_is_taken_out_and_told(content: bytes, removed: str) -> None:
    figure = read_figure(content, "a.svg")
    assert removed in figure.removed
    for word in (b"script", b"onclick", b"onload", b"https://example", b"javascript"):
        assert word not in figure.content


def test_a_plain_drawing_stays_as_it_is_and_has_one_name() -> None:
    content = svg("<g style='stroke:red; fill:none'><use href='#a'/><text x='1'>A &lt; B</text></g>")
    figure = read_figure(content, "a.svg")
    assert figure.removed == ()
    assert b'stroke="red" fill="none"' in figure.content
    again = read_figure(figure.content, "b.svg")
    assert (again.sha256, again.address) == (figure.sha256, f"/media/{figure.sha256}.svg")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + svg("&a;"), id="entities"),
        pytest.param(svg("<image href='data:image/png;base64,AA'/>"), id="embedded picture"),
        pytest.param(svg("<foreignObject/>"), id="foreign object"),
        pytest.param(svg("<style>path{fill:red}</style>"), id="style sheet"),
        pytest.param(b"<html/>", id="another document"),
        pytest.param(b"GIF89a", id="another format"),
        pytest.param(b"", id="nothing"),
        pytest.param(picture("PNG")[:40], id="half a picture"),
        pytest.param(b"\xff\xd8\xff" + b"0" * 50, id="no picture at all"),
        pytest.param(b" " * (MAXIMUM_BYTES + 1), id="too large"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(FigureRefused, match=r"a\.svg"):
        read_figure(content, "a.svg")


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg")])
def test_a_picture_is_kept_under_its_own_kind(kind: str, suffix: str) -> None:
    figure = read_figure(picture(kind), "a.bin")
    assert figure.content == picture(kind)
    assert figure.address.endswith(suffix)


def test_the_notes_of_a_camera_are_not_kept() -> None:
    figure = read_figure(picture("JPEG", with_notes=True), "a.jpg")
    with Image.open(io.BytesIO(figure.content)) as kept:
        assert not kept.getexif()
    assert read_figure(figure.content, "a.jpg").sha256 == figure.sha256
