"""Command lines without the secrets that somebody may have written into them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOT = "[secret]"
# An option that is named for a secret; ours are not, but a project's own may be.
_NAMED = re.compile(
    r"(?i)^(-[-\w.]*(?:api.?key|key|token|secret|passw|auth|credential|cookie)[-\w.]*|[-\w.]*(?:KEY|TOKEN|SECRET|PASSWORD))(=?)"
)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_KEYS = re.compile(r"\b(?:sk|pk|ghp|gho|ghs|github_pat|glpat|xox[abp]|hf|AKIA)[-_]?[A-Za-z0-9_-]{12,}")


def without_secrets(arguments: Sequence[str]) -> tuple[str, ...]:
    """`arguments` with values of options named for secrets, credentials in URLs, and keys blotted out."""
    return tuple(_blotted(arguments))


def _blotted(arguments: Sequence[str]) -> Iterator[str]:
    follows = False
    for each in arguments:
        if follows and not each.startswith("-"):
            yield BLOT
            follows = False
            continue
        named = _NAMED.match(each)
        follows = named is not None and named[0] == each and each.startswith("-")
        if named is not None and named[2]:
            yield f"{named[0]}{BLOT}"
        else:
            yield _KEYS.sub(BLOT, _CREDENTIALS.sub(f"{BLOT}@", each))
