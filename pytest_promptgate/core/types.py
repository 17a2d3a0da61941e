"""The values, in the order in which they flow: suite file → … → report. All frozen.

``Score`` and ``Unscored`` (like ``Measurement`` and ``Unmeasured``) are different types, so that "nobody
could tell" can never be averaged as a zero.

Longer than other files on purpose: read from top to bottom, it is the flow itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.expressions import written

# A prompt's own values stand in a module of their own, since production code loads no other.
from pytest_promptgate.core.prompt import Json as Json
from pytest_promptgate.core.prompt import Message as Message
from pytest_promptgate.core.prompt import ModelPin as ModelPin
from pytest_promptgate.core.prompt import PromptInput as PromptInput
from pytest_promptgate.core.prompt import PromptVersion as PromptVersion
from pytest_promptgate.core.prompt import Target as Target
from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import Judge, Scorer
    from pytest_promptgate.core.side_by_side import SideBySide


# --- what users write ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One dataset row."""

    id: str  # unique in its dataset; slugged: no "::", "[", "]", white space
    inputs: Mapping[str, Json]  # every column but id, expected and tags, by column name
    expected: Json  # None also if the dataset has no such column, see `has_expected`
    has_expected: bool
    tags: tuple[str, ...]
    digest: str  # of the columns that the suite reads, and of `expected`
    place: Place
    cluster: str = ""  # what it stands for in the suite's cluster column; "" if the suite names none


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundScorer:
    """A scorer as one suite uses it."""

    name: str  # as the suite calls it; metrics refer to it
    kind: str  # as it was offered: "exact_match", or "package.module:function"
    scorer: Scorer | Judge
    fingerprint: str  # changes when its scores may change
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The cases of a suite that have one value in one column: a slice of it."""

    name: str  # "language=de", such that it can stand in a node id
    cases: frozenset[str]  # ids


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """``accuracy: mean(queue)``, of a whole suite or of a part of it."""

    name: str  # "accuracy", or "accuracy[language=de]"
    aggregate: str  # mean, min, max, median, p50 … p99, total, rate, precision, recall, f1, confusion
    source: str  # a scorer's name, or one of `core.metrics.OBSERVABLES` (cost_usd, latency_s, tokens_in, …)
    arguments: Mapping[str, Json] = field(default_factory=dict)  # f1(queue, label=billing)
    direction: Direction
    place: Place
    part: Part | None = None  # the only cases that count; None: all

    @property
    def whole(self) -> str:
        """The name of the metric that this is, or that this is a part of."""
        return self.name if self.part is None else self.name.removesuffix(f"[{self.part.name}]")

    @property
    def expression(self) -> str:
        """The metric in canonical spelling; equal expressions measure the same thing."""
        extra = "".join(f", {key}={written(value)}" for key, value in sorted(self.arguments.items()))
        return f"{self.aggregate}({self.source}{extra})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a metric may fall: `amount` in the metric's own unit, or as a share (0.05 = 5 %) of the baseline."""

    amount: float = 0.0
    relative: bool = False

    def allowance(self, baseline: float) -> float:
        """The tolerated drop in the metric's unit, >= 0."""
        return self.amount * abs(baseline) if self.relative else self.amount

    def __str__(self) -> str:
        return f"{self.amount * 100:g}%" if self.relative else f"{self.amount:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricGate:
    """What the gate does with one metric."""

    gated: bool = True  # False: shown only
    tolerance: Tolerance = field(default_factory=Tolerance)
    floor: float | None = None  # worst value allowed, whatever the baseline; a ceiling if lower is better


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """The numbers of the rules; see docs/statistics.md."""

    alpha: float = 0.05  # chance that a run in which nothing changed fails, 0 < alpha < 1
    confirm_samples: int = 8  # most fresh answers per case and prompt; at least 3
    confirm_max_calls: int | None = None  # of stage 2; None: six per case of the suite
    max_drop: float | None = 0.10  # under `significant`: a drop as large as this needs no proof; None: no such limit
    early_stop: str | None = None  # under `significant`, "e": look after every case, at a fifth of alpha
    first_round: bool = False  # under `significant`: where one sample of every case is not lower, ask no others

    @property
    def test_alpha(self) -> float:
        """What is left of `alpha` for the test at the end."""
        return self.alpha if self.early_stop is None else 0.8 * self.alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class MustPass:
    """Cases that have to reach `pass_at` in every sample of each of `scorers`."""

    cases: frozenset[str]
    scorers: tuple[str, ...]
    pass_at: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite file, read, resolved and valid: nothing in it can fail before the first call."""

    name: str
    path: str  # relative to the root directory, with "/"
    prompt: PromptVersion
    slots: Mapping[str, ModelPin]  # "default", or the names of a `model:` mapping; never empty
    cases: tuple[Case, ...]  # after `where`; in dataset order; never empty
    inputs: Mapping[str, str]  # template variable -> column
    constants: Mapping[str, Json]
    samples: int  # answers per case, >= 1
    scorers: tuple[BoundScorer, ...]  # never empty
    metrics: tuple[MetricSpec, ...]  # never empty
    rule: str  # strict, confirm, significant or non_inferior
    gates: Mapping[str, MetricGate]  # one per metric and gated slice, by its name
    policy: GatePolicy = field(default_factory=GatePolicy)
    must_pass: tuple[MustPass, ...] = ()
    slices: tuple[str, ...] = ()  # columns, or "tags"
    parts: tuple[MetricSpec, ...] = ()  # gated slices: some of `metrics`, each on some of `cases`
    thin: frozenset[str] = frozenset()  # slices of too few cases for the gate that was asked for: "language=fr"
    together: bool = False  # cases of a cluster are answered together: tests swap whole clusters
    turns: str = ""  # column that holds a list of user turns; "": each case is one
    smoke: int = 8  # cases of the smoke tier
    outputs: bool = True  # keep the baseline's outputs beside the lockfile
    default_rules: Mapping[str, str] = field(default_factory=dict)  # by slot, if the file names no rule; else empty

    @property
    def storable(self) -> bool:
        """Whether answers may be kept and used again; not those of a target that has no version."""
        return self.prompt.target is None or bool(self.prompt.target.version)

    @property
    def judged(self) -> tuple[MetricSpec, ...]:
        """The metrics, then the gated slices: everything that gets a verdict."""
        return (*self.metrics, *self.parts)


# --- what is asked and answered --------------------------------------------------------------------------------------


class RequestKind(StrEnum):
    """What a model is asked for."""

    CHAT = "chat"  # an answer to the messages
    EMBEDDING = "embedding"  # the vector of one text, the content of the only message


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent: everything that can change the answer, and nothing else."""

    kind: RequestKind = RequestKind.CHAT
    pin: ModelPin
    messages: tuple[Message, ...]
    parameters: Mapping[str, Json]  # prompt's and pin's, merged; by canonical name
    tools: tuple[Json, ...] = ()
    response_format: Json = None
    turns: tuple[str, ...] = ()  # user turns that follow the first answer; accounts never see them


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One case, one sample."""

    case: Case
    sample: int  # from 1
    request: Request
    digest: str  # of the request
    ordinal: int  # rank among the identical requests of the unfiltered suite, from 0

    @property
    def id(self) -> str:
        """``t-017``, or ``t-017#2`` from the second sample on."""
        return self.case.id if self.sample == 1 else f"{self.case.id}#{self.sample}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool that the model asked for; `arguments` is the JSON text as it came, unparsed."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One complete, successful answer."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    served_model: str = ""  # as the provider names it; empty if it does not say
    fingerprint: str = ""
    tokens_in: int | None = None  # None: the provider did not count
    tokens_out: int | None = None
    tokens_cached: int | None = None
    latency_s: float | None = None  # seconds; None: nobody measured it, as for an answer of a batch
    finish_reason: str = ""
    logprobs: Json = None  # as the provider gives them, if they were asked for
    requests: int = 1  # paid for this answer: 2 if it was hedged
    embedding: str = field(default="", repr=False)  # the vector that was asked for, see `core.embeddings`; "": none was


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The value of one scorer on one completion."""

    value: float  # 0 … 1, higher is better, unless the scorer says otherwise
    reason: str = ""  # why it is not the best; untrusted: it may quote the model
    labels: tuple[str, str] | None = None  # (answered, expected), for precision, recall, f1 and confusion
    # The part to grade was not found in the answer: the worst score, and counted apart.
    unextracted: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a score must be a finite number, not {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """The scorer could not tell, or the provider refused the request: counted, never averaged."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Errored:
    """Infrastructure: the call or the scorer failed. `message` is whole, with place and hint."""

    message: str
    moved: bool = False  # another model than the pin answered: no metric of this run can be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Not asked: the run ended before, or an early stop made it needless; or who was asked left the case out."""

    reason: str
    left_out: str = ""  # "skip" or "xfail", if a test function said so: the case counts as no row of its dataset


Grade: TypeAlias = Score | Unscored | Errored | Skipped


class Origin(StrEnum):
    """Where an answer came from."""

    ASKED = "asked"
    STORED = "stored"  # the response store
    UNCHANGED = "unchanged"  # the lockfile's line stands for it
    NOWHERE = "nowhere"  # nothing was asked: offline, interrupted, or the account was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What metrics read of one trial; of this run's and, in the same form, of the baseline's."""

    case: str
    sample: int
    grades: Mapping[str, Grade]  # by scorer name
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost_usd: float | None = None  # None: the price or the tokens are not known
    latency_s: float | None = None
    output: str = ""  # digest of the answer, "" if there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A trial when it is done."""

    trial: Trial
    origin: Origin
    completion: Completion | None  # None: no answer, or its text is not at hand
    observation: Observation


# --- what is measured and decided ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Trials of one metric: planned = scored + unscored + errored + skipped, always."""

    scored: int = 0
    unscored: int = 0
    errored: int = 0
    skipped: int = 0

    @property
    def planned(self) -> int:
        """The denominator nobody may shrink."""
        return self.scored + self.unscored + self.errored + self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One metric over one run of a suite."""

    metric: str
    value: float
    books: Books  # books.scored >= 1
    direction: Direction
    interval: tuple[float, float] | None = None
    detail: Json = None  # confusion: {"labels": [...], "matrix": [[...]]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A metric of which nothing was scored."""

    metric: str
    reason: str
    books: Books
    direction: Direction


Measured: TypeAlias = Measurement | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """One case as the lockfile remembers it."""

    id: str
    row: str  # Case.digest
    request: str  # Trial.digest
    observations: tuple[Observation, ...]  # one per sample, in sample order


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a suite promised when its baseline was written; loosening it is told, never silent."""

    path: str
    rule: str
    samples: int
    metrics: Mapping[str, str]  # name -> canonical expression
    gates: Mapping[str, MetricGate]
    must_pass: tuple[str, ...]  # case ids, sorted
    must_reach: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # of those that need not pass everything
    directions: Mapping[str, Direction] = field(default_factory=dict)  # of metrics that are turned from what is usual
    policy: GatePolicy = field(default_factory=GatePolicy)
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # gated ones: name -> case ids, sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What rebuilds a baseline's requests from its rows, so that production can be asked again (DECISIONS 5)."""

    prompt: PromptVersion  # as it was; `pin` is the slot's
    inputs: Mapping[str, str]  # template variable -> column
    constants: Mapping[str, Json]


class AcceptanceKind(StrEnum):
    """What was let pass."""

    REGRESSION = "regression"  # a metric that fell or cannot be compared, or a promise that was loosened
    DATASET = "dataset"  # cases that are gone, or so many edits that too few cases are left to compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A change for the worse that somebody let pass, and why; it counts for this one step and for no other."""

    kind: AcceptanceKind
    metric: str  # as its verdict is named, or "*"
    before: str  # `core.acceptance.baseline_digest` of what it was held against
    after: str  # `core.acceptance.candidate_fingerprint` of what was accepted
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a metric has moved since the first anchor, where the cases of then are no longer those of now."""

    change: float  # in the metric's unit, turned so that less than 0 is worse: GATE's D
    variance: float  # of `change`: GATE's V


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The baseline that small losses are added up from (GATE §6); it goes down only by an acceptance."""

    prompt: str  # label
    prompt_digest: str
    pin: ModelPin
    scorers: Mapping[str, str]  # name -> fingerprint, of the scores in `cases`
    cases: Mapping[str, CaseRecord]
    reason: str  # why it stands where it stands: "first baseline", "improved: accuracy", …
    drift: Mapping[str, Drift] = field(default_factory=dict)  # by metric: what it had moved before this anchor
    recipe: Recipe | None = None  # None: the outputs file is not at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the lockfile holds for one suite and slot."""

    suite: str
    slot: str
    prompt: str  # "support-triage@v3"
    prompt_digest: str
    pin: ModelPin
    scorers: Mapping[str, str]  # name -> fingerprint
    contract: Contract
    cases: Mapping[str, CaseRecord]
    messages: tuple[Message, ...] = ()  # the prompt's templates; empty if the outputs file is not at hand
    outputs: Mapping[tuple[str, int], Completion] = field(default_factory=dict)  # (case, sample) -> answer, if at hand
    recipe: Recipe | None = None  # None: the outputs file is not at hand
    anchor: Anchor | None = None  # None: the baseline is its own
    accepted: tuple[Acceptance, ...] = ()  # oldest first


class Outcome(StrEnum):
    """What a verdict says."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WITHIN_NOISE = "within-noise"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    INCOMPARABLE = "incomparable"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One case whose score moved; `before` and `after` are means over its samples."""

    case: str
    before: float
    after: float
    reason: str = ""  # the scorer's, on the new answer
    old_output: str | None = None  # None: not at hand
    new_output: str | None = None
    expected: Json = None
    old_sample: int = 1  # where the move is seen best
    new_sample: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says of one metric."""

    metric: str
    outcome: Outcome
    reason: str  # one line, for people
    gated: bool
    red: bool  # the run fails; implies gated
    baseline: Measured | None  # on the cases compared
    current: Measured | None
    change: float | None = None  # current - baseline, in the metric's unit, not turned by the direction
    tolerance: Tolerance = field(default_factory=Tolerance)
    worse: tuple[CaseChange, ...] = ()  # worst first
    better: tuple[CaseChange, ...] = ()  # best first
    direction: Direction = Direction.HIGHER
    p: float | None = None  # of the test that decided, within the run's family; None: no test was needed
    sees: str = ""  # how large a drop this gate can see, for people
    accepted: str = ""  # why a verdict that would be red is not; "" if it is not for an acceptance
    since_anchor: float | None = None  # the change since the anchor, less than 0 is worse; None: it did not decide
    compared: int = 0  # cases on both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What differs from the baseline, apart from the answers."""

    prompt: str = ""  # "v2 -> v3", or "" if it is the same digest
    prompt_diff: tuple[str, ...] = ()  # unified diff lines
    model: str = ""
    parameters: tuple[str, ...] = ()
    scorers: tuple[str, ...] = ()  # names whose fingerprint changed
    added: tuple[str, ...] = ()  # case ids
    removed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    loosened: tuple[str, ...] = ()  # sentences: what the suite promised and no longer does
    passing: tuple[str, ...] = ()  # of `removed`: those whose every score was full
    accepted: tuple[str, ...] = ()  # "accuracy: why", for what was accepted in this step


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMeasurement:
    """One metric over the cases of one slice; shown, not gated."""

    slice: str  # "language=en"
    measured: Measured  # where there is a `baseline`: on the cases that both have
    baseline: Measured | None = None
    cases: int = 0  # of this run, compared or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One metric of production, on the same cases: as its baseline has it, and as it answers in this run."""

    metric: str
    recorded: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Production, asked in this very run beside the candidate, so that neither has the provider's better minutes."""

    prompt: str  # its label
    metrics: frozenset[str]  # those that are held against it; the others are held against the stored baseline
    timing: bool = False  # only its latencies count, since a gate reads them
    results: tuple[Result, ...] = ()  # its own answers
    shared: tuple[Result, ...] = ()  # the candidate's, where both send the same request: one answer stands for both
    missing: str = ""  # why it could not be asked at all
    shifts: tuple[Shift, ...] = ()  # of the metrics that it has another value of than its baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one judge was asked for: verdicts, apart from the answers that they are about."""

    scorer: str
    model: str
    kind: RequestKind = RequestKind.CHAT
    asked: int = 0  # calls that were answered
    stored: int = 0
    tokens: int = 0  # of what was asked
    cost_usd: float | None = 0.0  # of what was asked; None: not known of at least one call

    def __add__(self, other: Judged) -> Judged:
        known = self.cost_usd is not None and other.cost_usd is not None
        return replace(
            self,
            asked=self.asked + other.asked,
            stored=self.stored + other.stored,
            tokens=self.tokens + other.tokens,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One suite and slot, done: the only input of `reports/` and of the terminal summary."""

    suite: Suite
    slot: str
    pin: ModelPin
    results: tuple[Result, ...]
    measurements: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    differences: Differences
    baseline: Baseline | None
    partial: str = ""  # why this run is not complete ("12 of 60 cases selected"), or ""
    slices: tuple[SliceMeasurement, ...] = ()
    notes: tuple[str, ...] = ()  # told once: "served model not verifiable", …
    transport: str = ""  # what carried the calls: "aiohttp"; "" if nothing was asked
    judged: tuple[Judged, ...] = ()  # one per judge that was needed
    control: Control | None = None  # then `baseline` has its answers in place of the stored ones
    beside: SideBySide | None = None  # the baseline is another model's
