"""A prompt version and its parts: the first values of `core.types`, in a module that production code loads quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# What a JSON file can hold. Numbers are finite; keys are strings.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat message; `content` is a template in a `PromptVersion` and plain text in a `Request`."""

    role: str  # system, developer, user, assistant
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """One fixed snapshot of one provider's model. Construction does not check it: `core.pins` does."""

    provider: str  # a name in promptgate.yaml, or a built-in one
    name: str  # as the provider calls it; may contain "/"
    parameters: Mapping[str, Json] = field(default_factory=dict)  # by canonical name, see `core.parameters`
    vouched: bool = False  # the user's word (`pinned: true`) for an opaque name

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptInput:
    """One declared template variable."""

    name: str
    kind: str = "string"
    required: bool = True
    default: Json = None  # used when the input is not required and the row has no such column


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLines:
    """Where some lines of a prompt's rendered template stand: in its own file, or in a partial."""

    first: int  # line of all messages' templates together, from 1
    last: int
    file: str
    line: int  # of the file, which `first` is
    exact: bool = True  # the lines after it are the file's lines after `line`

    def place(self, line: int) -> tuple[str, int] | None:
        """File and line of a line of the template; None if it is none of these."""
        if not self.first <= line <= self.last:
            return None
        return self.file, self.line + (line - self.first if self.exact else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Users' own callable, which a suite evaluates in place of a prompt."""

    reference: str  # package.module:function
    version: str  # "": nothing of it is stored, and it is always called
    timeout_s: float  # for one call
    call: Callable[..., Any]  # sync or async; takes the inputs as keyword arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """One immutable version of a prompt; `digest` covers messages, pin, parameters, inputs, tools and output schema.

    A `target` stands here as a prompt without messages whose inputs are its parameters.
    """

    name: str
    version: str  # "v3"
    messages: tuple[Message, ...]
    pin: ModelPin | None  # None: the suite names the model
    parameters: Mapping[str, Json]  # by canonical name
    inputs: tuple[PromptInput, ...]
    tools: tuple[Json, ...] = ()  # OpenAI's form: {"type": "function", "function": {...}}
    response_format: Json = None  # OpenAI's form
    description: str = ""
    owner: str = ""
    source: str = ""
    path: str = ""  # relative to the root directory, with "/"
    digest: str
    target: Target | None = None
    # Path -> digest of every partial in `messages`, and of the file itself without them; empty if there are none.
    partials: Mapping[str, str] = field(default_factory=dict, compare=False)
    origins: tuple[SourceLines, ...] = field(default=(), compare=False, repr=False)

    @property
    def title(self) -> str:
        """What messages call it: ``prompt triage@v3``, ``target package.module:function``."""
        return f"prompt {self.label}" if self.target is None else f"target {self.name}"

    @property
    def node(self) -> str:
        """What stands in node ids: the label, or of a target without a version its name, which no edit changes."""
        return self.label if self.target is None or self.target.version else self.name

    @property
    def label(self) -> str:
        """``name@version``, as suites, node ids and the lockfile write it."""
        return f"{self.name}@{self.version}"


def parse_model(text: str) -> tuple[str, str]:
    """Provider and the provider's own name of ``provider/id``; a bare id is OpenAI's."""
    provider, slash, name = text.partition("/")
    return (provider, name) if slash else ("openai", text)
