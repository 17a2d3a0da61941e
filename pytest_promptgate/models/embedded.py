"""The embedded model ``embedded/nearest-example-1``: no network, no key, the same answer on every machine.

(The other embedded model, which gives vectors and no answers, is `hashed_words`.)

It answers with the assistant turn of the example whose user turn is nearest to the question: a small, honest
in-context learner, so that editing the examples of a prompt really changes the metrics. It is no language model:
it writes nothing of its own, obeys no instruction, and cannot count, translate or reason.

How it reads a request. The *question* is the last user message. An *example* is a user message before it that an
assistant message follows directly. Everything else (system and developer messages, an assistant turn without a
question, whatever stands after the last user message) is ignored, and so are all parameters (temperature, seed, stop,
length limits), tools and response formats: it never calls a tool and never cuts an answer short. Text is text: a
line ``assistant:`` inside a message makes no turn of it.

How it chooses. *Words* are the maximal runs of letters and digits of the case-folded text; signs and "_" separate.
With N examples, of which df(w) contain the word w, and tf(w) the number of times w stands in a text::

    idf(w)    = ln((1 + N) / (1 + df(w))) + 1
    weight(w) = tf(w) · idf(w)                    a text is the vector of its weights
    nearness  = (question · example) / (|question| · |example|)        cosine, 0 … 1

Words of the question that stand in no example are left out of its vector. Nearness is rounded to nine decimals, so
that the last bit of a machine's logarithm decides nothing; of equally near examples the first wins, and so does the
first example where no word is shared at all. A question that equals an example's user turn (apart from white space
around it) gets that example's answer, the first one's if there are several.

Source of the weights: scikit-learn's ``TfidfVectorizer`` with its defaults ``smooth_idf=True, norm="l2"``.

Tokens are counted, for the cost columns, as pieces of up to six word characters and single other signs; role names
count nothing. No provider counts like this.
"""

from __future__ import annotations

import asyncio
import difflib
import math
import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.embeddings import packed
from pytest_promptgate.core.types import Completion, RequestKind
from pytest_promptgate.errors import AccountStopped, RequestRefused
from pytest_promptgate.models.hashed_words import HASHED_WORDS, hashed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.ports import Account, ProviderSpec
    from pytest_promptgate.core.types import Message, Request

NEAREST_EXAMPLE = "nearest-example-1"
_MODELS = {RequestKind.CHAT: NEAREST_EXAMPLE, RequestKind.EMBEDDING: HASHED_WORDS}

# (user turn, assistant turn)
Example: TypeAlias = tuple[str, str]

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\w{1,6}|[^\w\s]")
_DECIMALS = 9
_PROMPTS_KEPT = 64
_TEXTS_KEPT = 8192
_TURNS_BETWEEN_YIELDS = 32


def embedded_account(spec: ProviderSpec, most_connections: int) -> Account:  # noqa: ARG001 - nothing to connect to
    """The account of the embedded model; `most_connections` means nothing to it."""
    return EmbeddedAccount(spec.name)


class EmbeddedAccount:
    """Answers in the event loop itself: an answer takes less time than handing it to a thread would."""

    endpoint = "embedded"
    transport = "embedded"

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._turns = 0

    async def room(self) -> None:
        """There is always room; other tasks get their turn now and then."""
        self._turns += 1
        if self._turns % _TURNS_BETWEEN_YIELDS == 0:
            await asyncio.sleep(0)

    async def ask(self, request: Request) -> Completion:
        """Answer; `latency_s` is the real time that it took.

        Raises:
            RequestRefused: The request holds no question, or no example.
            AccountStopped: It names no model that does what is asked.
        """
        if request.pin.name != _MODELS[request.kind]:
            raise _other_model(self._provider, request)
        if request.kind is RequestKind.EMBEDDING:
            return _embedded(request)
        started = time.perf_counter()
        text = answer(request.messages, where=str(request.pin))
        return Completion(
            text=text,
            served_model=NEAREST_EXAMPLE,
            tokens_in=sum(count_tokens(message.content) for message in request.messages),
            tokens_out=count_tokens(text),
            latency_s=time.perf_counter() - started,
            finish_reason="stop",
        )

    async def close(self) -> None:
        """Nothing is open."""


def _embedded(request: Request) -> Completion:
    started = time.perf_counter()
    text = request.messages[0].content
    return Completion(
        text="",
        embedding=packed(hashed(_words(text))),
        served_model=HASHED_WORDS,
        tokens_in=count_tokens(text),
        tokens_out=0,
        latency_s=time.perf_counter() - started,
    )


def answer(messages: Sequence[Message], *, where: str = NEAREST_EXAMPLE) -> str:
    """The assistant turn of the example nearest to the last user message.

    Raises:
        RequestRefused: There is no user message, or no example before it; its place is `where`.
    """
    asked = _last_question(messages)
    if asked is None:
        raise RequestRefused(where, "the request has no user message", hint="End the prompt with a user: section.")
    examples = _examples(messages[:asked])
    if not examples:
        raise RequestRefused(
            where,
            "the prompt has no example turns, and this model only repeats the answer of the nearest one",
            hint="Write at least one user: section with an assistant: section after it, before the last user: section.",
        )
    return _nearest(_index(examples), messages[asked].content)


@lru_cache(maxsize=_TEXTS_KEPT)
def count_tokens(text: str) -> int:
    """Pieces of up to six word characters, and single other signs; white space counts nothing."""
    return len(_PIECE.findall(text))


def _last_question(messages: Sequence[Message]) -> int | None:
    return next((index for index in reversed(range(len(messages))) if messages[index].role == "user"), None)


def _examples(messages: Sequence[Message]) -> tuple[Example, ...]:
    return tuple(
        (turn.content, reply.content)
        for turn, reply in pairwise(messages)
        if turn.role == "user" and reply.role == "assistant"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """The examples of one prompt, ready to be compared with."""

    answers: tuple[str, ...]
    verbatim: dict[str, str]  # a whole user turn -> its answer
    postings: dict[str, list[tuple[int, float]]]  # word -> (example, weight · idf / |example|), in example order


@lru_cache(maxsize=_PROMPTS_KEPT)
def _index(examples: tuple[Example, ...]) -> _Index:
    counts = [Counter(_words(turn)) for turn, _ in examples]
    frequency = Counter(word for count in counts for word in count)
    idf = {word: math.log((1 + len(examples)) / (1 + df)) + 1 for word, df in frequency.items()}
    postings: dict[str, list[tuple[int, float]]] = {}
    for number, count in enumerate(counts):
        length = math.sqrt(math.fsum((tf * idf[word]) ** 2 for word, tf in count.items()))
        for word, tf in count.items():
            # The question's own idf is multiplied in here, once for all questions.
            postings.setdefault(word, []).append((number, tf * idf[word] ** 2 / length))
    return _Index(
        answers=tuple(reply for _, reply in examples),
        verbatim={turn.strip(): reply for turn, reply in reversed(examples)},
        postings=postings,
    )


def _nearest(index: _Index, question: str) -> str:
    known = index.verbatim.get(question.strip())
    if known is not None:
        return known
    nearness = [0.0] * len(index.answers)
    for word, tf in Counter(_words(question)).items():
        for number, weight in index.postings.get(word, ()):
            nearness[number] += tf * weight
    # |question| is left out: it is the same for every example, so it does not change which is nearest.
    return index.answers[_first_best([round(value, _DECIMALS) for value in nearness])]


def _first_best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _other_model(provider: str, request: Request) -> AccountStopped:
    name, wanted = request.pin.name, _MODELS[request.kind]
    does = "gives vectors" if request.kind is RequestKind.EMBEDDING else "answers"
    hint = f"The one that {does} is {provider}/{wanted}."
    if name in _MODELS.values():
        return AccountStopped(f"{provider}/{name}", f"it is no embedded model that {does}", hint=hint)
    close = difflib.get_close_matches(name, [wanted], n=1, cutoff=0.4)
    start = f"Did you mean {wanted!r}? " if close else ""
    return AccountStopped(f"{provider}/{name}", "there is no such embedded model", hint=f"{start}{hint}")
