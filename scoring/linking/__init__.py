"""Linking of two calibrations through common items, and the drift of those items."""

from scoring.linking.common_items import CommonItems, common_items
from scoring.linking.drift import AnchorDrift, PurifiedLinking, anchor_drift, link_without_drift
from scoring.linking.link import STANDARD_POINTS, Linking, LinkingMethod, LinkingPoints, link, linking_criterion
from scoring.linking.transformation import Transformation

__all__ = [
    "STANDARD_POINTS",
    "AnchorDrift",
    "CommonItems",
    "Linking",
    "LinkingMethod",
    "LinkingPoints",
    "PurifiedLinking",
    "Transformation",
    "anchor_drift",
    "common_items",
    "link",
    "link_without_drift",
    "linking_criterion",
]
