"""SQL of authoring: banks and topics, items with versions, stimuli with versions, media."""

from exam_engine.authoring.store.banks import find_bank, insert_bank, load_banks, load_topics, lock_bank, save_topics
from exam_engine.authoring.store.items import (
    find_item_id,
    insert_items,
    insert_versions,
    load_contents,
    load_frozen,
    load_names,
    load_newest,
    load_versions,
    lock_items,
    save_reviews,
    save_versions,
    update_items,
)
from exam_engine.authoring.store.lists import load_page
from exam_engine.authoring.store.media import find_media, save_figures
from exam_engine.authoring.store.stimuli import freeze_stimuli, insert_stimulus, insert_stimulus_version, load_stimuli

__all__ = [
    "find_bank",
    "find_item_id",
    "find_media",
    "freeze_stimuli",
    "insert_bank",
    "insert_items",
    "insert_stimulus",
    "insert_stimulus_version",
    "insert_versions",
    "load_banks",
    "load_contents",
    "load_frozen",
    "load_names",
    "load_newest",
    "load_page",
    "load_stimuli",
    "load_topics",
    "load_versions",
    "lock_bank",
    "lock_items",
    "save_figures",
    "save_reviews",
    "save_topics",
    "save_versions",
    "update_items",
]
