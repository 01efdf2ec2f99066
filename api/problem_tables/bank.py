"""Problems of the item bank and of authoring."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.authoring import errors as authoring
from exam_engine.infra.i18n import N_
from item_bank import errors as item_bank

PROBLEMS: ProblemTable = {
    authoring.BankUnknown: Problem(
        "bank-unknown", HTTPStatus.NOT_FOUND, N_("There is no such bank"), N_("No item bank is known as {bank}.")
    ),
    authoring.BankExists: Problem(
        "bank-exists",
        HTTPStatus.CONFLICT,
        N_("The code of the bank is taken"),
        N_("There is already an item bank with the code {bank}."),
    ),
    authoring.ItemUnknown: Problem(
        "item-unknown", HTTPStatus.NOT_FOUND, N_("There is no such item"), N_("No item is known as {item}.")
    ),
    authoring.ItemExists: Problem(
        "item-exists",
        HTTPStatus.CONFLICT,
        N_("The code of the item is taken"),
        N_("The bank already has an item with the code {item}."),
    ),
    authoring.MediaUnknown: Problem("figure-unknown", HTTPStatus.NOT_FOUND, N_("There is no such figure")),
    authoring.VersionOutdated: Problem(
        "version-outdated",
        HTTPStatus.CONFLICT,
        N_("Somebody changed the item in between"),
        N_("Item {item} is at version {present} by now; you began with version {expected}. Compare, then save again."),
    ),
    authoring.ItemNotSound: Problem(
        "item-not-sound",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The item has errors"),
        N_("Item {item} stays a draft until what is listed has been mended."),
    ),
    item_bank.ContentInvalid: Problem(
        "content-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The text cannot be kept as it is"),
        N_("Line {line}, character {column}: {reason}"),
    ),
    item_bank.FigureRefused: Problem(
        "figure-refused",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The figure was not accepted"),
        N_("{file_name}: {reason}"),
    ),
    item_bank.ResponseInvalid: Problem(
        "response-unfit",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The answer does not fit the question"),
        N_("It was not kept: {reason}."),
    ),
    item_bank.IllegalTransition: Problem(
        "illegal-transition",
        HTTPStatus.CONFLICT,
        N_("This step is not possible now"),
        N_("The item's present state does not allow it; load the page again."),
    ),
    item_bank.FourEyes: Problem(
        "item-four-eyes",
        HTTPStatus.FORBIDDEN,
        N_("This needs a second person"),
        N_("Who wrote or submitted an item cannot approve it."),
    ),
    item_bank.GiftSyntax: Problem(
        "gift-syntax",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The GIFT text breaks its grammar"),
        N_("Line {line}, character {column}: {reason}"),
    ),
}
