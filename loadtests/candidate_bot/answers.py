"""What a bot answers: any value the item's interaction allows, as the player would send it."""

import random
from collections.abc import Mapping

from item_bank.model.responses import ResponseShape
from scoring.values import ResponseValue

WORDS = ("Em", "nghĩ", "rằng", "đọc", "sách", "mỗi", "ngày", "giúp", "mình", "hiểu", "người", "khác", "hơn")


def draw_response(shape: ResponseShape, rng: random.Random) -> ResponseValue:
    """Draw a response of the shape."""
    ids = sorted(shape.ids)
    match shape.kind:
        case "single_choice":
            return rng.choice(ids)
        case "multiple_choice":
            return sorted(rng.sample(ids, rng.randint(1, min(shape.maximum or len(ids), len(ids)))))
        case "true_false_cluster":
            judged: Mapping[str, bool] = {statement: rng.random() < 0.5 for statement in ids}
            return dict(judged)
        case "short_numeric":
            return str(rng.randint(0, 10 ** min(shape.max_characters, 4) - 1))
        case _:
            return " ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 60)))
