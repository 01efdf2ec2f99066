"""The published GIFT test questions: our grammar makes the parse tree their authors expect (MIT, read in place)."""

import json
from pathlib import Path
from typing import Any

from item_bank.interchange.gift_grammar import Choice, Kind, Question, Text, parse

NAMES = {
    Kind.CATEGORY: "Category",
    Kind.DESCRIPTION: "Description",
    Kind.ESSAY: "Essay",
    Kind.TRUE_FALSE: "TF",
    Kind.MULTIPLE_CHOICE: "MC",
    Kind.SHORT_ANSWER: "Short",
    Kind.NUMERICAL: "Numerical",
    Kind.MATCHING: "Matching",
}


def text_tree(text: Text | None) -> dict[str, str] | None:
    return None if text is None else {"format": text.format, "text": text.text}


def choice_tree(choice: Choice, kind: Kind) -> dict[str, Any]:
    text: dict[str, Any] | None = text_tree(choice.text)
    if kind is Kind.NUMERICAL:
        text = {"format": "moodle", "text": "*"}
        if choice.range is not None:
            text = {"type": "range", "number": float(choice.range.low), "range": float(choice.range.tolerance)}
    return {
        "isCorrect": choice.is_correct,
        "weight": choice.weight,
        "text": text,
        "feedback": text_tree(choice.feedback),
    }


def tree(question: Question) -> dict[str, Any]:
    if question.kind is Kind.CATEGORY:
        return {"type": "Category", "title": question.title}
    found: dict[str, Any] = {
        "id": question.id,
        "tags": list(question.tags) or None,
        "type": NAMES[question.kind],
        "title": question.title,
        "stem": text_tree(question.stem),
        "hasEmbeddedAnswers": question.has_blank,
    }
    if question.kind is not Kind.DESCRIPTION:
        found["globalFeedback"] = text_tree(question.general_feedback)
    if question.choices:
        found["choices"] = [choice_tree(choice, question.kind) for choice in question.choices]
    if question.pairs:
        found["matchPairs"] = [{"subquestion": text_tree(p.question), "subanswer": p.answer} for p in question.pairs]
    if question.kind is Kind.TRUE_FALSE:
        # The published trees name the two feedbacks by the answer chosen, as they stand in the file.
        found |= {
            "isTrue": question.is_true,
            "trueFeedback": text_tree(question.feedback_wrong),
            "falseFeedback": text_tree(question.feedback_right),
        }
    return found


def test_every_published_question_gives_the_expected_tree(reference_dir: Path) -> None:
    folder = reference_dir / "gift" / "gift-grammar-tests"
    files = sorted(folder.glob("*.gift"))
    assert len(files) >= 17
    for file in files:
        parsed = parse(file.read_text("utf-8"))
        assert parsed.errors == (), file.name
        expected = json.loads(file.with_suffix(".json").read_text("utf-8"))
        assert [tree(question) for question in parsed.questions] == expected, file.name
