"""One pytest run as one value: what every report is made from, and what ``run.json`` holds.

It reads from top to bottom: the run, its suites, their metrics, their cases, the answers to those. Texts are cut where
they are longer than `core.excerpts` lets them be; nothing else is left out, and no secret is in it.

Longer than other files on purpose: it is one value. Its fields are the keys of the JSON: whoever changes them
raises `SCHEMA_VERSION` and writes ``schemas/run.schema.json`` anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_promptgate.core.calibration import Trust
from pytest_promptgate.core.pairs import Pairs
from pytest_promptgate.core.types import (
    Differences,
    GatePolicy,
    Grade,
    Json,
    Judged,
    Measured,
    Message,
    MetricGate,
    MetricSpec,
    ModelPin,
    MustPass,
    Origin,
    Outcome,
    Shift,
    SliceMeasurement,
    ToolCall,
)
from pytest_promptgate.errors import Place

SCHEMA_VERSION = 1  # of the documents that this version writes; it reads this one and all before


class Status(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"  # Ctrl-C, SIGTERM, or out of money or time
    BROKE = "broke"  # the engine could not go on, or nothing could be collected


class Mark(StrEnum):
    """What is to be said of a case; the first of its marks is the one that matters most."""

    ERRORED = "errored"  # a call or a scorer failed
    FAILED = "failed"  # it must pass, and did not
    WORSE = "worse"  # it flipped: the score of a metric is worse than in the baseline
    UNSCORED = "unscored"
    UNEXTRACTED = "unextracted"  # the part to grade was not found in the answer
    SKIPPED = "skipped"  # not asked
    BETTER = "better"
    NEW = "new"  # the baseline has no such case
    EDITED = "edited"  # the baseline has it with other content
    UNCHANGED = "unchanged"  # not asked anew: the baseline's line stands for it
    SAME = "same"  # asked, and no metric moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    served_model: str = ""
    finish_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """One sample of one case, of this run or of the baseline."""

    sample: int  # from 1
    origin: Origin | None  # None: it is the baseline's
    answer: Answer | None  # None: there is none, or its text is not at hand
    output: str  # digest of the whole answer, "" if there is none
    grades: Mapping[str, Grade]  # by scorer
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """One case, with its answers before and now."""

    id: str
    marks: tuple[Mark, ...]  # the most important first; never empty
    problem: str = ""  # why its item fails; "" if it does not
    tags: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()  # "language=de"
    cluster: str = ""
    inputs: Mapping[str, Json]
    expected: Json
    has_expected: bool
    place: Place  # of its row
    row: str  # digest of its content
    request: str  # digest of the first sample's request
    now: tuple[TrialRun, ...]  # in sample order
    before: tuple[TrialRun, ...] = ()  # empty: the baseline does not know it
    row_before: str = ""  # digest of the content that the baseline knows; another than `row`: it was edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One case whose score moved; `before` and `after` are means over its samples, as the metric reads them."""

    case: str
    before: float
    after: float
    reason: str = ""  # the scorer's, on the new answer; untrusted
    sample_before: int = 1  # where the move is seen best
    sample_now: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRun:
    """What the gate says of one metric, or of a promise, whose name then stands in brackets: ``(dataset)``."""

    metric: str
    outcome: Outcome
    reason: str  # one line, for people
    gated: bool
    red: bool  # the run fails
    baseline: Measured | None = None  # on the cases compared
    current: Measured | None = None
    change: float | None = None  # current - baseline, in the metric's unit
    change_interval: tuple[float, float] | None = None  # of `change`, at 95 %
    compared: int = 0  # cases
    p: float | None = None  # None: no test was needed
    sees: str = ""  # how large a drop this gate can see on these cases
    accepted: str = ""  # why it is let pass
    since_anchor: float | None = None  # the change since the anchor, less than 0 is worse; None: it did not decide
    worse: tuple[Move, ...] = ()  # worst first
    better: tuple[Move, ...] = ()  # best first


@dataclass(frozen=True, slots=True, kw_only=True)
class SightRun:
    """What a gate could have seen before anything was asked: the numbers of ``promptgate power``."""

    sees_any_drop: bool  # beyond the tolerance
    at_least: bool  # more is seen than the figures say
    unit: str  # of `drop`: "points" are hundredths of the metric, "percent" are of its level
    drop: float | None  # caught in 4 of 5 runs; None: none is, or nobody knows
    flip_rate: float | None  # None: not known
    flip_rate_from: str = ""
    cases: int = 0
    samples: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRun:
    """One metric of a suite, or of a gated slice of it."""

    spec: MetricSpec
    gate: MetricGate
    measured: Measured | None  # over this whole run; None: it was not judged
    verdict: VerdictRun | None = None
    sight: SightRun | None = None  # None: it is not gated


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerRun:
    """A scorer as the suite uses it."""

    name: str
    kind: str
    fingerprint: str
    place: Place
    rubric: str = ""  # of a judge: the file that it judges by


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRun:
    """A prompt version, or a target, which has no messages."""

    name: str
    version: str
    digest: str
    path: str = ""
    messages: tuple[Message, ...] = ()  # templates
    parameters: Mapping[str, Json] = field(default_factory=dict)
    target: bool = False

    @property
    def label(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionRun:
    """What the suite is held against."""

    prompt: PromptRun  # without messages if the outputs file is not at hand
    model: ModelPin
    cases: int
    scorers: Mapping[str, str]  # name -> fingerprint
    metrics: Mapping[str, str]  # name -> expression
    gone: tuple[str, ...] = ()  # cases of it that this run does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a suite took. Tokens, cost and seconds are of what was asked in this run."""

    cases: int = 0
    unchanged: int = 0  # trials
    stored: int = 0
    asked: int = 0
    unanswered: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0  # None: not known of at least one answer
    latency_s: float = 0.0  # of all answers together


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRun:
    """Production, asked beside the candidate."""

    prompt: str
    metrics: tuple[str, ...]
    timing: bool
    missing: str
    shifts: tuple[Shift, ...]
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRun:
    """How well a judge agrees with people, as the lockfile says; the labels themselves stay there."""

    labels: int  # answers with labels and a verdict
    agreement: float  # share of answers with the same verdict
    weighted_kappa: float
    bias: float  # mean of judge - people
    bias_interval: tuple[float, float]  # at 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRun:
    """A judge: what was asked of it, and what vouches for it."""

    scorer: str
    asked: Judged | None = None  # None: it was not needed
    calibration: CalibrationRun | None = None  # None: nobody's labels vouch for this very rubric
    trust: Trust | None = None  # None: it has no rubric
    doubt: str = ""  # why it does not gate like any scorer
    compared: Pairs | None = None  # None: it holds no answers against production's


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One suite on one model slot."""

    name: str
    slot: str
    path: str
    title: str  # "triage: triage@v2 on openai/gpt-4o-2024-11-20"
    judged: bool  # False: it has no verdicts, see `not_judged`
    not_judged: str = ""
    partial: str = ""  # why this run is not the whole suite
    model: ModelPin
    served_models: tuple[str, ...] = ()
    prompt: PromptRun
    production: ProductionRun | None = None  # None: there is no baseline
    inputs: Mapping[str, str]  # template variable -> column
    rule: str
    samples: int
    policy: GatePolicy
    must_pass: tuple[MustPass, ...] = ()
    together: bool = False
    slices: tuple[str, ...] = ()  # columns
    scorers: tuple[ScorerRun, ...]
    metrics: tuple[MetricRun, ...]
    promises: tuple[VerdictRun, ...] = ()  # verdicts on no metric
    sliced: tuple[SliceMeasurement, ...] = ()
    differences: Differences = field(default_factory=Differences)
    judges: tuple[JudgeRun, ...] = ()
    control: ControlRun | None = None
    spent: Spent
    notes: tuple[str, ...] = ()
    transport: str = ""
    failed: tuple[str, ...] = ()  # cases whose item fails
    cases: tuple[CaseRun, ...] = ()  # those selected, in dataset order

    @property
    def verdicts(self) -> tuple[VerdictRun, ...]:
        """All verdicts, those on metrics first."""
        return (*(each.verdict for each in self.metrics if each.verdict is not None), *self.promises)

    @property
    def red(self) -> tuple[VerdictRun, ...]:
        """The verdicts that fail the run."""
        return tuple(each for each in self.verdicts if each.red)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What ran."""

    promptgate: str
    pytest: str
    python: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """The work tree; "" is what Git does not tell."""

    commit: str = ""
    branch: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How the run was asked for."""

    update: bool = False
    update_option: str = (
        "--update-baseline"  # what writes baselines: some projects have an option of that name themselves
    )
    baseline_ref: str = ""
    offline: bool = False
    smoke: bool = False
    refresh: bool = False
    control: bool = False
    aa: bool = False
    fail_fast: bool = False
    shard: str = ""
    max_cost_usd: float | None = None
    max_time_s: float | None = None
    ci: bool = False
    ci_service: str = ""  # "github", "gitlab", or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """One pytest run."""

    schema_version: int = SCHEMA_VERSION
    status: Status
    reasons: tuple[str, ...] = ()  # why it is not complete
    exit_code: int  # pytest's
    started: str  # "2026-11-23T13:00:00Z"
    ended: str
    seconds: float
    versions: Versions
    arguments: tuple[str, ...]  # of pytest, secrets blotted out
    mode: Mode
    git: GitState | None = None  # None: no repository, or no Git
    suites: tuple[SuiteRun, ...]
    failures: int = 0  # items that failed, eval or not
    notes: tuple[str, ...] = ()  # what concerns the run as a whole
    updated: tuple[str, ...] = ()  # what became of the baselines, if they were to be written
    refused: bool = False  # a baseline that was to be written was not
    merged: tuple[str, ...] = ()  # the shards that it was made of

    @property
    def red(self) -> tuple[tuple[SuiteRun, VerdictRun], ...]:
        """Every verdict that fails the run, with its suite."""
        return tuple((suite, verdict) for suite in self.suites for verdict in suite.red)
