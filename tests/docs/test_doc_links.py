"""Every link between the pages leads to something."""

from __future__ import annotations

import os.path

import pytest
from doc_pages import PAGES, REPOSITORY, headings, links


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    lost: list[str] = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = os.path.normpath(f"{os.path.dirname(page)}/{target}".lstrip("/")) if target else page  # noqa: PTH120
        there = (REPOSITORY / path).exists()
        if not there or (anchor and anchor not in headings(path)):
            lost.append(link)
    assert lost == []


def test_the_index_leads_to_every_page() -> None:
    found = {link.partition("#")[0] for link in links("docs/README.md")}

    assert {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")} - found == {"README.md"}
