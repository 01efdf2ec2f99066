"""Message catalogues: English message ids, Vietnamese first. One .po file an area, merged when first asked for.

Ids are written with `{name}` fields. `N_` marks a text that is translated later, where the reader's language is known.
"""

from exam_engine.infra.i18n.catalogue import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    N_,
    Translator,
    negotiate_language,
    translator,
)
from exam_engine.infra.i18n.formats import (
    format_date,
    format_datetime,
    format_decimal,
    format_hundredths,
    format_integer,
    format_time,
)

__all__ = [
    "DEFAULT_LANGUAGE",
    "LANGUAGES",
    "N_",
    "Translator",
    "format_date",
    "format_datetime",
    "format_decimal",
    "format_hundredths",
    "format_integer",
    "format_time",
    "negotiate_language",
    "translator",
]
