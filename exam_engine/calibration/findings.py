"""What a complete run says of the test and of every item; a number is `None` where it is not defined."""

from enum import StrEnum

import msgspec

from exam_engine.authoring.model import ItemId, ItemVersionId
from exam_engine.authoring.parameters import ItemParameters, ParameterErrors
from exam_engine.calibration.choices import AnchorUse, ModelFamily


class Excluded(msgspec.Struct, frozen=True):
    """An item that was left out, with the reason as a message id and its facts."""

    item: str
    message: str
    facts: dict[str, str] = {}


class ModelFitReport(msgspec.Struct, frozen=True, kw_only=True):
    """Limited-information fit of the model to the candidates of one form."""

    statistic: str
    x2: float | None
    df: int
    p: float | None
    rmsea: float | None
    rmsea_lower: float | None
    rmsea_upper: float | None
    srmsr: float | None
    n_candidates: float


class DependentPair(msgspec.Struct, frozen=True):
    """Two items whose residuals hang together."""

    first: str
    second: str
    q3: float  # less the mean of all pairs


class LinkReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the run was put on the scale of earlier items."""

    use: AnchorUse
    anchors: tuple[str, ...]
    dropped: tuple[str, ...] = ()  # drifted: not used for the link
    slope: float = 1.0
    intercept: float = 0.0
    criterion: float | None = None


class Remark(msgspec.Struct, frozen=True):
    """A sentence of the convergence block, as a message id with its facts."""

    message: str
    facts: dict[str, str] = {}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a complete run says of the whole test."""

    family: ModelFamily
    suggested: ModelFamily | None
    n_candidates: int
    n_items: int
    n_forms: int
    converged: bool
    n_iterations: int
    gradient_norm: float
    remaining_gain: float
    log_likelihood: float
    log_prior: float
    n_parameters: int
    aic: float
    bic: float
    mean: float
    variance: float
    has_errors: bool
    marginal_reliability: float | None
    empirical_reliability: float | None
    alpha: float | None
    model_fit: ModelFitReport | None
    dependent_pairs: tuple[DependentPair, ...]
    link: LinkReport | None
    remarks: tuple[Remark, ...]
    excluded: tuple[Excluded, ...]
    history: tuple[float, ...]
    abilities: tuple[tuple[float, int], ...]  # EAP to a tenth of a logit, candidates: for the map
    input_hash: str


class Severity(StrEnum):
    """How much a finding weighs."""

    BAD = "bad"
    WARN = "warn"


class Trouble(msgspec.Struct, frozen=True):
    """One thing a psychometrician should look at, as a message id with its facts."""

    severity: Severity
    message: str
    facts: dict[str, str] = {}


class CurvePoint(msgspec.Struct, frozen=True):
    """Mean ability and mean calibrated category of one ability group, with its standard error under the model."""

    theta: float
    observed: float
    se: float
    n: int


class OptionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One option, under the author's letter."""

    option: str
    is_key: bool
    share: float
    r_pb: float | None
    mean_criterion: float | None
    group_share: tuple[float | None, ...]


class DifReport(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison with the reference group (Mantel-Haenszel, or Mantel for several categories)."""

    reference: str
    focal: str
    n_reference: int
    n_focal: int
    ets_class: str
    delta: float | None
    p: float | None
    standardised_difference: float | None


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far an anchor moved since its parameters were accepted."""

    difficulty: float | None
    rmsd: float
    is_dropped: bool = False


class FitReport(msgspec.Struct, frozen=True, kw_only=True):
    """Fit of one item."""

    s_x2: float | None = None
    df: int = 0
    p: float | None = None
    rmsea: float | None = None
    infit: float | None = None
    outfit: float | None = None
    z_infit: float | None = None
    z_outfit: float | None = None


class ClassicalReport(msgspec.Struct, frozen=True, kw_only=True):
    """Classical statistics, from the candidates of the form that most of them took."""

    form: str
    n_candidates: int
    facility: float | None
    r_pb: float | None
    r_bis: float | None
    discrimination: float | None
    omitted: float
    not_reached: float


class ItemReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run says of one item."""

    item_version_id: ItemVersionId
    item_id: ItemId
    name: str  # the code, with the version where two of them were answered
    code: str
    version: int
    kind: str
    title: str
    is_scored: bool  # False: tried out in a pretest block
    is_anchor: bool
    n_answers: int
    counts: tuple[int, ...]  # by raw category
    parameters: ItemParameters
    errors: ParameterErrors | None
    fit: FitReport
    classical: ClassicalReport
    options: tuple[OptionReport, ...] = ()
    dif: tuple[DifReport, ...] = ()
    drift: DriftReport | None = None
    points: tuple[CurvePoint, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against accepting it unseen."""
        return all(trouble.severity is not Severity.BAD for trouble in self.troubles)

    @property
    def weight(self) -> tuple[int, int, float]:
        """By what items are sorted, the most troubled first."""
        bad = sum(trouble.severity is Severity.BAD for trouble in self.troubles)
        return (-bad, bad - len(self.troubles), self.fit.p if self.fit.p is not None else 1.0)
