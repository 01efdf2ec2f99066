"""Refusals of assembly. What a blueprint or a draw can get wrong stands in `item_bank.forms.errors`.

AssemblyError
├── OrderInvalid           a code, seed or number of an order is not possible
├── BlueprintUnknown       there is no such blueprint
├── BlueprintInUse         forms were made by it; it may not change any more
├── FormUnknown            there is no such form
├── FormCodeTaken          another form has this code
├── PaperCodesImpossible   so many four-digit codes do not exist
├── PaperCodeUnknown       the form has no such paper code
├── CompiledFormUnknown    no form has this hash
├── FormNotSealed          only a sealed form may be used so
├── FormSealed             a sealed form cannot be sealed again
├── FourEyesNeeded         the person who assembled the form may not take this step
├── SlotUnknown            the form has no such slot
├── KeyUnchanged           the new key is the present one
├── KeyVersionUnknown      the form's key has no such version
└── ReasonMissing          a key change needs a reason
"""

from uuid import UUID

from exam_engine.infra.errors import EngineError


class AssemblyError(EngineError):
    """Base of the refusals of assembly."""


class OrderInvalid(AssemblyError):
    """A code, a seed or a number of paper codes is not possible."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"{field} is not possible: codes are 1 to 64 of A-Z, a-z, 0-9 and . _ -, seeds 0 to 2^63 - 1")


class BlueprintUnknown(AssemblyError):
    """There is no such blueprint."""

    def __init__(self, blueprint: str | UUID) -> None:
        self.blueprint = str(blueprint)
        super().__init__(f"there is no blueprint {blueprint}")


class BlueprintInUse(AssemblyError):
    """Forms were made by this blueprint, so it stays as it is."""

    def __init__(self, blueprint: str, forms: int) -> None:
        self.blueprint = blueprint
        self.forms = forms
        super().__init__(
            f"{forms} forms were made by the blueprint {blueprint}; import the changed one under a new code"
        )


class FormUnknown(AssemblyError):
    """There is no such form."""

    def __init__(self, form: str | UUID) -> None:
        self.form = str(form)
        super().__init__(f"there is no form {form}")


class FormCodeTaken(AssemblyError):
    """Another form has this code."""

    def __init__(self, form: str) -> None:
        self.form = form
        super().__init__(f"there is a form {form} already")


class PaperCodesImpossible(AssemblyError):
    """A four-digit code has no room for these serials."""

    def __init__(self, prefix: str, first_serial: int, count: int) -> None:
        self.prefix = prefix
        self.first_serial = first_serial
        self.count = count
        super().__init__(
            f"{count} paper codes from serial {first_serial} on do not fit into four digits after the prefix {prefix}"
        )


class PaperCodeUnknown(AssemblyError):
    """The form has no such paper code."""

    def __init__(self, form: str, paper_code: str) -> None:
        self.form = form
        self.paper_code = paper_code
        super().__init__(f"the form {form} has no paper code {paper_code}")


class CompiledFormUnknown(AssemblyError):
    """No form has this hash."""

    def __init__(self, form_hash: str) -> None:
        self.form_hash = form_hash
        super().__init__(f"no form has the hash {form_hash}")


class FormNotSealed(AssemblyError):
    """Only a sealed form may be used so."""

    def __init__(self, form: str) -> None:
        self.form = form
        super().__init__(f"the form {form} is not sealed yet")


class FormSealed(AssemblyError):
    """The form is sealed already."""

    def __init__(self, form: str) -> None:
        self.form = form
        super().__init__(f"the form {form} is sealed already")


class FourEyesNeeded(AssemblyError):
    """The person who assembled a form may neither seal it nor change its key."""

    def __init__(self, form: str, step: str) -> None:
        self.form = form
        self.step = step
        super().__init__(f"to {step} the form {form} somebody other than its assembler is needed")


class SlotUnknown(AssemblyError):
    """The form has no such slot."""

    def __init__(self, form: str, slot: int) -> None:
        self.form = form
        self.slot = slot
        super().__init__(f"the form {form} has no slot {slot}")


class KeyUnchanged(AssemblyError):
    """The new key says what the present one says."""

    def __init__(self, form: str, slot: int) -> None:
        self.form = form
        self.slot = slot
        super().__init__(f"form {form}, slot {slot}: this is the present key")


class KeyVersionUnknown(AssemblyError):
    """The form's key has no such version."""

    def __init__(self, form: str, version: int) -> None:
        self.form = form
        self.version = version
        super().__init__(f"the key of the form {form} has no version {version}")


class ReasonMissing(AssemblyError):
    """A key change is explained, always."""

    def __init__(self) -> None:
        super().__init__("a key change needs a reason")
