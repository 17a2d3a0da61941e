"""The text of a version's file with a part of it put otherwise; everything else stays as it is, byte for byte.

Byte order mark, line ends, comments and a missing line feed at the end are the file's own, and are kept.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pytest_promptgate.errors import PromptError, PromptGateError
from pytest_promptgate.files.prompty_format import split_front_matter
from pytest_promptgate.files.source import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import Json, Message, PromptVersion
    from pytest_promptgate.files.source import Document

_BOM = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def renumbered(data: bytes, *, file_name: str, version: str) -> bytes:
    """The file's bytes with `version` as its ``metadata.version``, if it has one.

    Args:
        data: UTF-8.
        file_name: Its suffix tells the format.
        version: Such as "v4".
    """
    mark, lines = _lines(data)
    front = _front(lines, file_name)
    place = front.places.get(("metadata", "version")) if front else None
    if place is None or not place.line or not place.column:
        return data
    line = lines[place.line - 1]
    start = place.column - 1
    lines[place.line - 1] = line[:start] + re.sub(r"v[1-9][0-9]*", version, line[start:], count=1)
    return _bytes(mark, lines)


def with_messages(data: bytes, messages: Sequence[Message], *, file_name: str) -> bytes | None:
    """The file's bytes with these messages' templates in place of its own; None if its format cannot hold them."""
    mark, lines = _lines(data)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    last = end * bool(lines and lines[-1].endswith(("\r", "\n")))
    if file_name.endswith(".txt"):
        return _bytes(mark, [messages[0].content.replace("\n", end) + last])
    if file_name.endswith(".prompty"):
        closing = [number for number, line in enumerate(lines) if line.rstrip() == "---"][1:2]
        return (
            _bytes(mark, [*lines[: closing[0] + 1], _body(messages).removesuffix("\n").replace("\n", end) + last])
            if closing
            else None
        )
    front = _front(lines, file_name)
    if front is None or not isinstance(front.value, dict) or ("messages",) not in front.places:
        return None
    first = next(number for number, line in enumerate(lines) if re.match(r"""["']?messages["']?\s*:""", line))
    after = [number for number in range(first + 1, len(lines)) if re.match(r"[^\s#-]", lines[number])]
    block = "messages:\n" + "".join(
        f"  - role: {each.role}\n    content: {_scalar(each.content)}\n" for each in messages
    )
    return _bytes(mark, [*lines[:first], block.replace("\n", end), *(lines[after[0] :] if after else [])])


def written_out(prompt: PromptVersion) -> bytes | None:
    """A whole .prompty file that reads as `prompt`; None for declared outputs, whose form is not kept."""
    if prompt.response_format is not None:
        return None
    head = [f"metadata: {{version: {prompt.version}}}"]
    if prompt.pin is not None:
        model: dict[str, Json] = {"id": prompt.pin.name, "provider": prompt.pin.provider}
        if prompt.parameters:
            model["options"] = {"additionalProperties": dict(prompt.parameters)}
        head.append(f"model: {_flow(model)}")
    head += ["inputs:", *(f"  - {_flow(each)}" for each in _inputs(prompt))] if prompt.inputs else []
    head += ["tools:", *(f"  - {_flow(each)}" for each in prompt.tools)] if prompt.tools else []
    return "\n".join(["---", *head, "---", _body(prompt.messages)]).encode()


def _inputs(prompt: PromptVersion) -> Iterator[dict[str, Json]]:
    for each in prompt.inputs:
        fields: dict[str, Json] = {"name": each.name, "kind": each.kind}
        if not each.required:
            fields["required"] = False
        if each.default is not None:
            fields["default"] = each.default
        yield fields


def _flow(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _body(messages: Sequence[Message]) -> str:
    return "\n".join(f"{each.role}:\n{each.content}\n" for each in messages)


def _scalar(content: str) -> str:
    """A literal block where YAML can hold the text in one, since that is how people write it."""
    lines = content.split("\n")
    if content != content.strip() or any(not line.isprintable() for line in lines):
        return json.dumps(content, ensure_ascii=False)
    return "\n".join(["|-", *(f"      {line}" if line else "" for line in lines)])


def _front(lines: Sequence[str], file_name: str) -> Document | None:
    """The YAML of a file with its places; None if it has none, or cannot be read."""
    text = "\n".join(line.rstrip("\r\n") for line in lines)
    try:
        if file_name.endswith(".prompty"):
            return read_yaml(split_front_matter(text, file_name)[0], file=file_name, first_line=2, error=PromptError)
        return read_yaml(text, file=file_name, error=PromptError) if file_name.endswith(".yaml") else None
    except PromptGateError:
        return None


def _lines(data: bytes) -> tuple[str, list[str]]:
    text = data.decode("utf-8")
    mark = _BOM if text.startswith(_BOM) else ""
    return mark, _LINE.findall(text.removeprefix(_BOM))


def _bytes(mark: str, lines: Sequence[str]) -> bytes:
    return f"{mark}{''.join(lines)}".encode()
