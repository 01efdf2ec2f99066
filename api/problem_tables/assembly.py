"""Problems of blueprints, forms, paper codes and keys."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.assembly import errors as assembly
from exam_engine.infra.i18n import N_
from item_bank.forms import errors as forms

PROBLEMS: ProblemTable = {
    forms.BlueprintInvalid: Problem(
        "blueprint-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The blueprint contradicts itself"),
        N_("Nothing was written. Mend the places listed and send it again."),
    ),
    forms.Shortage: Problem(
        "shortage",
        HTTPStatus.CONFLICT,
        N_("The bank has not enough items"),
        N_("These cells are short (part · topic · level · available/wanted): {cells}. No form was made."),
    ),
    forms.DrawUndecided: Problem(
        "draw-undecided",
        HTTPStatus.CONFLICT,
        N_("No selection was found in time"),
        N_("The search was given up after {seconds} seconds. Loosen the blueprint or split its cells."),
    ),
    forms.KeyMisfit: Problem(
        "key-misfit",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The key does not fit the item"),
        N_("The key is of another kind, or names what the item does not have. Nothing was changed."),
    ),
    forms.OrderingInvalid: Problem(
        "ordering-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This is not an ordering of the form"),
    ),
    assembly.OrderInvalid: Problem(
        "order-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This is not possible here"),
        N_("{field}: codes are 1 to 64 of A-Z, a-z, 0-9 and . _ -, seeds whole numbers from 0. Nothing was written."),
    ),
    assembly.BlueprintUnknown: Problem("blueprint-unknown", HTTPStatus.NOT_FOUND, N_("There is no such blueprint")),
    assembly.BlueprintInUse: Problem(
        "blueprint-in-use",
        HTTPStatus.CONFLICT,
        N_("Forms were made by this blueprint"),
        N_("{forms} forms were made by the blueprint {blueprint}; give the changed one a new code."),
    ),
    assembly.FormUnknown: Problem("form-unknown", HTTPStatus.NOT_FOUND, N_("There is no such form")),
    assembly.FormCodeTaken: Problem(
        "form-code-taken",
        HTTPStatus.CONFLICT,
        N_("This code is taken"),
        N_("There is a form {form} already. Choose another code."),
    ),
    assembly.PaperCodesImpossible: Problem(
        "paper-codes-impossible",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("So many paper codes do not exist"),
        N_("{count} codes from serial {first_serial} on do not fit into four digits after the prefix {prefix}."),
    ),
    assembly.PaperCodeUnknown: Problem(
        "paper-code-unknown", HTTPStatus.NOT_FOUND, N_("The form has no such paper code")
    ),
    assembly.CompiledFormUnknown: Problem("form-unknown", HTTPStatus.NOT_FOUND, N_("There is no such form")),
    assembly.FormNotSealed: Problem(
        "form-not-sealed",
        HTTPStatus.CONFLICT,
        N_("The form is not sealed yet"),
        N_("The form {form} must be sealed first, by somebody other than its assembler."),
    ),
    assembly.FormSealed: Problem(
        "form-sealed",
        HTTPStatus.CONFLICT,
        N_("The form is sealed already"),
        N_("The form {form} is sealed; nothing was changed."),
    ),
    assembly.FourEyesNeeded: Problem(
        "four-eyes",
        HTTPStatus.CONFLICT,
        N_("A second person is needed"),
        N_("Whoever assembled the form {form} may neither seal it nor change its key."),
    ),
    assembly.SlotUnknown: Problem(
        "slot-unknown",
        HTTPStatus.NOT_FOUND,
        N_("The form has no such slot"),
        N_("The form {form} has no slot {slot}; nothing was changed."),
    ),
    assembly.KeyUnchanged: Problem(
        "key-unchanged",
        HTTPStatus.CONFLICT,
        N_("This is the present key"),
        N_("The key of slot {slot} says this already; no version was made."),
    ),
    assembly.KeyVersionUnknown: Problem(
        "key-version-unknown",
        HTTPStatus.NOT_FOUND,
        N_("The key has no such version"),
        N_("The key of the form {form} has no version {version}."),
    ),
    assembly.ReasonMissing: Problem(
        "reason-missing",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("A reason is needed"),
        N_("A changed key is explained, always. Nothing was changed."),
    ),
}
