"""Use cases of authoring: banks, writing and reviewing items, the list, the preview, figures.

An author writes and submits, somebody else approves; forms take active versions only.
"""

from exam_engine.authoring.service.banks import (
    NewBank,
    bank_by_code,
    create_bank,
    list_banks,
    load_bank,
    load_topics,
    require,
)
from exam_engine.authoring.service.parameters import (
    accept_parameters,
    accepted_parameters,
    lock_banks,
    parameter_history,
    take_back_parameters,
)
from exam_engine.authoring.service.reading import (
    Preview,
    active_versions,
    find_item,
    frozen_versions,
    list_items,
    load_item,
    load_media,
    preview,
)
from exam_engine.authoring.service.reviewing import approve_items, retire_item, return_item
from exam_engine.authoring.service.writing import create_item, submit_items, update_item

__all__ = [
    "NewBank",
    "Preview",
    "accept_parameters",
    "accepted_parameters",
    "active_versions",
    "approve_items",
    "bank_by_code",
    "create_bank",
    "create_item",
    "find_item",
    "frozen_versions",
    "list_banks",
    "list_items",
    "load_bank",
    "load_item",
    "load_media",
    "load_topics",
    "lock_banks",
    "parameter_history",
    "preview",
    "require",
    "retire_item",
    "return_item",
    "submit_items",
    "take_back_parameters",
    "update_item",
]
