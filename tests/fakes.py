"""Stand-ins behind the ports, and the smallest suites that need them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import case_digest, output_digest
from pytest_promptgate.core.plan import Plan, plan
from pytest_promptgate.core.types import (
    Baseline,
    BoundScorer,
    Case,
    CaseRecord,
    Completion,
    Contract,
    Direction,
    Json,
    Message,
    MetricGate,
    MetricSpec,
    ModelPin,
    Observation,
    PromptInput,
    PromptVersion,
    Request,
    Result,
    Score,
    Suite,
    Unscored,
)
from pytest_promptgate.errors import Place, PromptError, StoreError

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import Price, StoreKey

PIN = ModelPin(provider="fake", name="model-2025-01-01")
PLACE = Place(file="evals/fake.eval.yaml", line=1)

Answer = str | Completion | BaseException
Script = Callable[[Request], "Answer | Awaitable[Answer]"]


def echo(request: Request) -> str:
    """The last message, as the answer."""
    return request.messages[-1].content


class FakeAccount:
    """Answers by `script`; at most `room` requests are under way when room is asked for first."""

    def __init__(self, script: Script = echo, *, room: int = 8, endpoint: str = "fake://here") -> None:
        self.script = script
        self.asked: list[Request] = []
        self.under_way = 0
        self.most_under_way = 0
        self.closed = 0
        self.notes: tuple[str, ...] = ()
        self.endpoint = endpoint
        self.transport = "fake"
        self._room = room
        self._freed = asyncio.Event()

    @property
    def texts(self) -> list[str]:
        """The last message of every request, in the order in which they were asked."""
        return [request.messages[-1].content for request in self.asked]

    async def room(self) -> None:
        while self.under_way >= self._room:
            self._freed.clear()
            await self._freed.wait()

    async def ask(self, request: Request) -> Completion:
        self.asked.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            answer = self.script(request)
            if isinstance(answer, Awaitable):
                answer = await answer
        finally:
            self.under_way -= 1
            self._freed.set()
        if isinstance(answer, BaseException):
            raise answer
        return completion(answer) if isinstance(answer, str) else answer

    async def close(self) -> None:
        self.closed += 1


class FakeStore:
    """A response store in a dict."""

    def __init__(self, *, full_after: int | None = None, explanation: str = "") -> None:
        self.answers: dict[StoreKey, Completion] = {}
        self.parts: dict[StoreKey, Mapping[str, str]] = {}
        self.puts = 0
        self.closed = 0
        self._full_after = full_after
        self._explanation = explanation

    def get(self, key: StoreKey) -> Completion | None:
        return self.answers.get(key)

    def put(self, key: StoreKey, completion: Completion, *, parts: Mapping[str, str]) -> None:
        if self._full_after is not None and self.puts >= self._full_after:
            raise StoreError("responses/fake.jsonl", "cannot be written: No space left on device")
        self.puts += 1
        self.answers[key] = completion
        self.parts[key] = parts

    def explain_miss(self, key: StoreKey, *, parts: Mapping[str, str]) -> str:
        return self._explanation

    def close(self) -> None:
        self.closed += 1


@dataclass
class World:
    """What an `Evaluation` opens: one account per provider, one store per suite, made when they are asked for."""

    script: Script = echo
    room: int = 8
    accounts: dict[str, FakeAccount] = field(default_factory=dict)
    stores: dict[str, FakeStore] = field(default_factory=dict)
    price: Price | None = None

    def account_of(self, provider: str) -> FakeAccount:
        assert provider not in self.accounts, "an account is opened once"
        self.accounts[provider] = FakeAccount(self.script, room=self.room)
        return self.accounts[provider]

    def store_of(self, suite: str) -> FakeStore:
        return self.stores.setdefault(suite, FakeStore())

    def price_of(self, pin: ModelPin) -> Price | None:
        return self.price

    @property
    def account(self) -> FakeAccount:
        return self.accounts[PIN.provider]

    @property
    def texts(self) -> list[str]:
        """What was asked of all accounts."""
        return [text for account in self.accounts.values() for text in account.texts]


def completion(text: str) -> Completion:
    """A counted answer: one token per character."""
    return Completion(text=text, served_model=PIN.name, tokens_in=10, tokens_out=len(text), latency_s=0.01)


def matches(completion: Completion, case: Case) -> Score:
    """Score 1.0 if the answer is the expected one."""
    return Score(value=float(completion.text == case.expected))


def bound(name: str = "match", scorer: Callable[..., object] = matches, *, fingerprint: str = "") -> BoundScorer:
    """A scorer under a name; equal names have equal fingerprints unless one is given."""
    return BoundScorer(
        name=name,
        kind=name,
        scorer=scorer,  # type: ignore[arg-type]  # some tests return what a scorer may not
        fingerprint=fingerprint or name,
        place=PLACE,
    )


def case(id: str, text: str | None = None, *, expected: Json = None, **columns: Json) -> Case:  # noqa: A002
    """A case whose column ``text`` is `text`, or its id; `expected` is the same unless it is given."""
    inputs: dict[str, Json] = {"text": id if text is None else text, **columns}
    wanted = inputs["text"] if expected is None else expected
    return Case(
        id=id,
        inputs=inputs,
        expected=wanted,
        has_expected=True,
        tags=(),
        digest=case_digest(inputs, wanted, True),
        place=Place(file="data/fake.jsonl", line=1),
    )


def prompt(template: str = "{text}", *, inputs: Sequence[PromptInput] = (PromptInput(name="text"),)) -> PromptVersion:
    """A prompt of one user message; `render` fills in ``{name}``."""
    return PromptVersion(
        name="fake",
        version="v1",
        messages=(Message(role="user", content=template),),
        pin=PIN,
        parameters={"temperature": 0},
        inputs=tuple(inputs),
        path="prompts/fake/v1.txt",
        digest=template,
    )


def render(prompt: PromptVersion, variables: Mapping[str, Json]) -> tuple[Message, ...]:
    """A renderer without jinja2."""
    try:
        return tuple(Message(role=each.role, content=each.content.format(**variables)) for each in prompt.messages)
    except KeyError as error:
        raise PromptError(prompt.path, f"{error} is undefined") from None


def suite(
    cases: Sequence[Case],
    *,
    name: str = "fake",
    template: PromptVersion | None = None,
    slots: Mapping[str, ModelPin] | None = None,
    samples: int = 1,
    scorers: Sequence[BoundScorer] = (),
    inputs: Mapping[str, str] | None = None,
    constants: Mapping[str, Json] | None = None,
) -> Suite:
    """A suite of `cases` with one metric, the mean of its first scorer."""
    used = tuple(scorers) or (bound(),)
    metric = MetricSpec(name="accuracy", aggregate="mean", source=used[0].name, direction=Direction.HIGHER, place=PLACE)
    return Suite(
        name=name,
        path=f"evals/{name}.eval.yaml",
        prompt=template or prompt(),
        slots=slots or {"default": PIN},
        cases=tuple(cases),
        inputs=inputs or {},
        constants=constants or {},
        samples=samples,
        scorers=used,
        metrics=(metric,),
        rule="strict",
        gates={"accuracy": MetricGate()},
    )


def planned(suite: Suite, slot: str = "default") -> Plan:
    """The plan of a suite, rendered by `render`."""
    return plan(suite, slot, render=render)


def baseline_of(plan: Plan, results: Sequence[Result], *, outputs: bool = False) -> Baseline:
    """What a lockfile would hold of `results`."""
    suite = plan.suite
    observations: dict[str, list[Observation]] = {}
    for result in results:
        observations.setdefault(result.trial.case.id, []).append(result.observation)
    trials = {trial.case.id: trial for trial in plan.trials}
    return Baseline(
        suite=suite.name,
        slot=plan.slot,
        prompt=suite.prompt.label,
        prompt_digest=suite.prompt.digest,
        pin=plan.pin,
        scorers={each.name: each.fingerprint for each in suite.scorers},
        contract=Contract(
            path=suite.path, rule=suite.rule, samples=suite.samples, metrics={}, gates=suite.gates, must_pass=()
        ),
        cases={
            name: CaseRecord(
                id=name, row=trials[name].case.digest, request=trials[name].digest, observations=tuple(seen)
            )
            for name, seen in observations.items()
        },
        outputs={
            (each.trial.case.id, each.trial.sample): each.completion
            for each in results
            if outputs and each.completion is not None
        },
    )


def scored_before(plan: Plan, *, answer: str = "old", outputs: bool = False, value: float = 0.5) -> Baseline:
    """A baseline in which every trial was answered `answer` and every scorer said `value`."""
    old = completion(answer)
    results = [
        Result(
            trial=trial,
            origin="asked",  # type: ignore[arg-type]  # not read
            completion=old,
            observation=Observation(
                case=trial.case.id,
                sample=trial.sample,
                grades={each.name: Score(value=value) for each in plan.suite.scorers},
                tokens_in=old.tokens_in,
                tokens_out=old.tokens_out,
                output=output_digest(old),
            ),
        )
        for trial in plan.trials
    ]
    return baseline_of(plan, results, outputs=outputs)


def never(_completion: Completion, _case: Case) -> Unscored:
    """A scorer that cannot tell."""
    return Unscored(reason="cannot tell")
