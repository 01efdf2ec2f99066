"""Use cases of assembly: blueprints, forms and their seal, keys, and what others read of them."""

from exam_engine.assembly.service.blueprints import (
    load_blueprint,
    load_blueprint_coded,
    load_blueprints,
    save_blueprint,
)
from exam_engine.assembly.service.forms import (
    assemble,
    load_form,
    load_form_coded,
    load_forms,
    plan,
    require_sealed,
    seal,
    seal_holds,
)
from exam_engine.assembly.service.keys import change_key, load_form_key, load_key_history
from exam_engine.assembly.service.papers import (
    form_facts,
    key_for_print,
    load_compiled,
    load_compiled_of_form,
    load_items,
    load_paper_code,
    load_paper_codes,
    load_parameters,
    load_slots,
    paper_for_print,
)

__all__ = [
    "assemble",
    "change_key",
    "form_facts",
    "key_for_print",
    "load_blueprint",
    "load_blueprint_coded",
    "load_blueprints",
    "load_compiled",
    "load_compiled_of_form",
    "load_form",
    "load_form_coded",
    "load_form_key",
    "load_forms",
    "load_items",
    "load_key_history",
    "load_paper_code",
    "load_paper_codes",
    "load_parameters",
    "load_slots",
    "paper_for_print",
    "plan",
    "require_sealed",
    "save_blueprint",
    "seal",
    "seal_holds",
]
