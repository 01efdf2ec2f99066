"""Numbers, dates and scores as people write them: comma decimals and dd/mm/yyyy in Vietnamese, point in English."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo


def format_hundredths(hundredths: int | None, language: str) -> str:
    """Return a score with two places: 725 is "7,25" in Vietnamese; nothing is an en dash."""
    if hundredths is None:
        return "–"
    return format_decimal(Decimal(hundredths).scaleb(-2), language, places=2)


def format_decimal(value: Decimal | float, language: str, places: int = 2) -> str:
    """Fixed places, thousands grouped, signs of the language."""
    text = f"{value:,.{places}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def format_integer(value: int, language: str) -> str:
    """Thousands grouped: 1.192.437 in Vietnamese, 1,192,437 in English."""
    return format_decimal(value, language, places=0)


def format_date(value: date | None, language: str) -> str:
    """Return dd/mm/yyyy in Vietnamese, `21 Nov 2026` in English."""
    if value is None:
        return "–"
    return value.strftime("%d/%m/%Y") if language == "vi" else f"{value.day} {value:%b %Y}"


def format_time(value: datetime | None, zone: str, *, seconds: bool = False) -> str:
    """Clock time in the given zone, 24 hours."""
    if value is None:
        return "–"
    return value.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S" if seconds else "%H:%M")


def format_datetime(value: datetime | None, language: str, zone: str) -> str:
    """Date and clock time in the given zone."""
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M} {format_date(local.date(), language)}"
