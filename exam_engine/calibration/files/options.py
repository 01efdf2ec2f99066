"""Chosen options against their key: right or wrong for calibration, letters for the analysis of distractors."""

from collections.abc import Mapping

import msgspec
import numpy as np

from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.response_files import OptionFile, ResponseFile
from exam_engine.infra.i18n import N_


def require_keys(found: OptionFile, key: Mapping[str, frozenset[str]], key_name: str) -> None:
    """Refuse a key that leaves an item out, or names options nobody could have meant.

    Raises
    ------
    FileRefused
        An item has no key; a key file that names none of the items at all.
    """
    mistakes = Mistakes(key_name)
    for name in found.responses.item_names:
        if name not in key:
            mistakes.add(N_("the item {item} of the responses has no key here"), item=name)
    mistakes.finish()


def scored(found: OptionFile, key: Mapping[str, frozenset[str]]) -> ResponseFile:
    """Score options: 1 for one of the key, 0 for any other; blanks stay what they are."""
    marks = found.responses.marks.copy()
    for item, (name, options) in enumerate(zip(found.responses.item_names, found.options, strict=True)):
        right = np.array([*(option in key[name] for option in options), False], dtype=np.int8)
        column = marks[:, item]
        marks[:, item] = np.where(column >= 0, right[np.minimum(column, len(options))], column)
    return msgspec.structs.replace(found.responses, marks=marks)
