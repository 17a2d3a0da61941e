"""What the rooms may expect of each other without knowing each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from pytest_promptgate.core.types import (
    BoundScorer,
    Case,
    Completion,
    Json,
    Message,
    ModelPin,
    Observation,
    PromptVersion,
    Request,
    Score,
    Unscored,
)

# A scorer is a callable; one that must wait returns an awaitable. It raises only if it is broken.
Scorer: TypeAlias = Callable[[Completion, Case], "Score | Unscored | Awaitable[Score | Unscored]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a judge wants to know of its model about one answer, and how it reads what comes back. Pure."""

    requests: tuple[Request, ...]  # one per vote, or one per text to embed; never empty
    # Replies in the order of `requests`; an `Unscored` stands for a request that the provider refused.
    grade: Callable[[Sequence[Completion | Unscored]], Score | Unscored]


@runtime_checkable
class Judge(Protocol):
    """A scorer that asks a model. It only says what to ask: the engine asks, with its store, limits and accounts."""

    @property
    def pin(self) -> ModelPin:
        """The judge's own model, never the subject's."""

    @property
    def compares(self) -> bool:
        """Whether it holds an answer against production's; production itself then scores `core.pairs.PAR`."""

    def inquire(
        self, completion: Completion, case: Case, production: Completion | Unscored | None
    ) -> Inquiry | Score | Unscored:
        """What to ask about an answer, or its grade if nothing has to be asked. Raises only if it is broken.

        Args:
            completion: The answer.
            case: What it answers.
            production: The baseline's answer to the same case; None if there is none, `Unscored` if it is not at hand.
        """


# What a plugin offers under a name: a plain scorer, or a frozen dataclass whose fields are the settings
# that a suite may write and whose instances are scorers. Class attributes that are read, all optional:
#   revision: int             raised whenever the same settings may score differently (part of the fingerprint)
#   expected: str | None      (a field) the column, or key of `expected`, to compare with
#   needs_expected: bool      True: rows without it are an error before the first call
#   direction: Direction      default higher
#   labels: bool              True: its scores carry labels
#   check(case) -> None       raises ValueError or LookupError if the row can never be scored, before the first call
#   reads_text: bool          False: the suite's `extract` does not concern it
#   reads_json: bool          True: a text that `extract: {json_path: …}` finds is handed over in quotation marks
#   if_not_extracted: str     "zero" or "unscored"; default: unscored if it waits (a judge), else zero
#   nests: str                "one" or "many": it is built from scorers, handed over as `parts` (`BoundScorer`s); with
#                             a field `weights`, a suite may give each of them a weight
ScorerOffer: TypeAlias = "Scorer | type"

# (template variables -> values) -> rendered messages; raises PromptError for an undefined variable.
Renderer: TypeAlias = Callable[[PromptVersion, Mapping[str, Json]], tuple[Message, ...]]

# Values of the scored trials (finite), or of an observable, in trial order -> one number.
Aggregate: TypeAlias = Callable[[Sequence[float]], float]


class ExtractionOffer(Protocol):
    """What makes a scorer read a part of the answer."""

    @property
    def steps(self) -> Mapping[str, type]:
        """Ways to find the part, by their names in a suite: dataclasses whose fields are the settings."""

    @property
    def revision(self) -> int:
        """Raised whenever the same step may find another part."""

    def __call__(self, *, parts: tuple[BoundScorer, ...], step: Any) -> Scorer:
        """The scorer that hands one part of the answer, which `step` finds, to the one scorer in `parts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a dataset file, before a suite gives it meaning."""

    fields: Mapping[str, Json]
    line: int | None  # of the file, from 1; None where the format has no lines


# Path of a dataset, absolute -> its rows. Raises DatasetError with file and row.
DatasetLoader: TypeAlias = Callable[[str], Sequence[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cached: float | None = None  # None: as `input`


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One entry of ``providers:`` in promptgate.yaml, or a built-in one. Holds names of secrets, never secrets."""

    name: str
    kind: str  # openai (any compatible endpoint), azure, embedded, or one that a plugin offers
    family: str  # which pin rules apply, see PINS
    base_url: str = ""  # "" = the client's own default
    base_url_env: str = ""  # name of an environment variable that holds it
    api_key_env: str = ""  # "" = no key
    headers: Mapping[str, str] = field(default_factory=dict)  # values may be "${NAME}": taken from the environment
    deployments: Mapping[str, str] = field(default_factory=dict)  # azure: model id -> deployment
    api_version: str = ""
    models: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)  # per model: {"pinned": true}
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 120.0  # for one try
    retry_for_s: float = 120.0  # for all tries of one call; 0: one try
    hedge: bool = False
    structured_outputs: bool | None = None  # answers by a JSON schema; None: known of the family


class Account(Protocol):
    """One provider account: endpoint and key. Lives in the engine's event loop."""

    @property
    def endpoint(self) -> str:
        """Base URL without secrets; part of the store's key. Known before the first call."""

    @property
    def transport(self) -> str:
        """What carries the calls ("aiohttp", "httpx", "embedded"), for the report."""

    async def room(self) -> None:
        """Return when a further request could start at once: the engine then begins its next trial."""

    async def ask(self, request: Request) -> Completion:
        """Answer, with the account's limits and retries applied.

        Args:
            request: For a chat completion, or for an embedding: its `Completion.embedding` is then what counts, and
                an account whose models have none raises `RequestRefused`.

        Raises:
            TransportFault: Tries or time ran out.
            RequestRefused: This request alone will never be answered.
            AccountStopped: No request of this account will be.
            WrongModel: Another snapshot than the pin answered.
        """

    async def close(self) -> None:
        """Give connections back; idempotent."""


AccountFactory: TypeAlias = Callable[[ProviderSpec, int], Account]  # spec, most connections allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKey:
    """What identifies a stored answer; see DESIGN §7."""

    request: str  # Trial.digest
    endpoint: str
    role: str = "subject"  # or "judge": a scorer asked
    ordinal: int = 0  # Trial.ordinal
    round: str = ""  # "" is the first


class ResponseStore(Protocol):
    """Every paid answer of one suite."""

    def get(self, key: StoreKey) -> Completion | None:
        """The stored answer, or None."""

    def put(self, key: StoreKey, completion: Completion, *, parts: Mapping[str, str]) -> None:
        """Keep one answer; it is on its way to the disk when this returns.

        Args:
            parts: Digests of the request's parts (messages, parameters, model, tools) and the trial's id
                under ``trial``, so that a later miss can say what differs.

        Raises:
            StoreError: It could not be written.
        """

    def close(self) -> None:
        """Flush and close; idempotent."""


@runtime_checkable
class HasNotes(Protocol):
    """An account with something to tell beside its answers."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say once, such as "served model not verifiable"."""


@runtime_checkable
class ExplainsMisses(Protocol):
    """A store that can tell why it has no answer; asked for under ``--prompt-offline``."""

    def explain_miss(self, key: StoreKey, *, parts: Mapping[str, str]) -> str:
        """What differs from the nearest stored request of that trial, in one line without a full stop; "" if unknown.

        Args:
            key: What `ResponseStore.get` did not find.
            parts: As for `ResponseStore.put`.
        """


@runtime_checkable
class RemembersLatency(Protocol):
    """A store that knows how long earlier answers took, whatever their request was; the slowest are asked first."""

    def latency_of(self, trial: str) -> float | None:
        """Seconds that the newest answer of a trial took; None if it was never asked.

        Args:
            trial: As under ``trial`` in the parts of `ResponseStore.put`.
        """


@runtime_checkable
class SkipsLines(Protocol):
    """A store that goes on where a part of it cannot be read, and says so."""

    @property
    def complaints(self) -> tuple[str, ...]:
        """What was skipped, as ``file:line: why; skipped``."""


@runtime_checkable
class HasRounds(Protocol):
    """A store that keeps answers that were asked anew apart from those that count, see `core.rounds`."""

    @property
    def complete_rounds(self) -> frozenset[str]:
        """Names of the rounds that count."""

    def complete_round(self, name: str) -> None:
        """From now on the answers of round `name` count.

        Raises:
            StoreError: It could not be written.
        """


@runtime_checkable
class FindsItsLimit(Protocol):
    """An account that finds out by itself how many requests may be under way; the next run begins where it ended."""

    @property
    def limit(self) -> int:
        """Requests that may be under way at present, >= 1."""

    def begin_at(self, limit: int) -> None:
        """Begin with so many; called at most once, before the first request."""


Observations: TypeAlias = Sequence[Observation]
