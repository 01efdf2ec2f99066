"""Pictures on paper: PNG and JPEG as they are, SVG drawn by resvg with our fonts at print resolution."""

from functools import cache
from importlib import resources
from io import BytesIO

import resvg_py
from PIL import Image as Raster
from reportlab.lib.units import inch
from reportlab.platypus import Image

from exam_engine.infra.pdf.fonts import FOLDER

PRINT_DPI = 300
SCREEN_DPI = 96  # one CSS pixel is 1/96 inch
FAMILY = "Be Vietnam Pro"


def picture(content: bytes, media_type: str, maximum_width: float, maximum_height: float) -> Image:
    """Return a flowable of a picture in its natural size, made smaller where it would not fit.

    Parameters
    ----------
    content : bytes
    media_type : str
        "image/svg+xml", "image/png" or "image/jpeg".
    maximum_width, maximum_height : float
        Points.
    """
    if media_type == "image/svg+xml":
        zoom = PRINT_DPI / SCREEN_DPI
        content = bytes(
            resvg_py.svg_to_bytes(
                svg_string=content.decode("utf-8"),
                zoom=round(zoom),
                font_dirs=[str(FOLDER), mathematical_fonts()],
                font_family=FAMILY,
                sans_serif_family=FAMILY,
                serif_family=FAMILY,
                skip_system_fonts=True,
                background="white",
            )
        )
        dots_per_point = SCREEN_DPI * round(zoom) / inch
    else:
        dots_per_point = SCREEN_DPI / inch
    with Raster.open(BytesIO(content)) as raster:
        width, height = (side / dots_per_point for side in raster.size)
    scale = min(1.0, maximum_width / width, maximum_height / height)
    return Image(BytesIO(content), width=width * scale, height=height * scale)


@cache
def mathematical_fonts() -> str:
    """Return the folder of STIX Two Math, which has the signs a text font lacks: infinity, primes, arrows."""
    return str(resources.files("ziamath").joinpath("fonts"))
