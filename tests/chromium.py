"""A real headless Chromium for tests, without a network."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)


def browser_paths() -> tuple[str, str] | None:
    """Where the browser and its driver are; None if one of them is not installed."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def chromium(paths: tuple[str, str]) -> Iterator[Chrome]:
    """A browser with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = paths[0]
        for each in (*_QUIET, f"--user-data-dir={profile}", "--window-size=1200,1000"):
            options.add_argument(each)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = Chrome(options=options, service=Service(paths[1]))
        try:
            yield driver
        finally:
            driver.quit()


def opened(driver: Chrome, page: Path, fragment: str = "") -> list[str]:
    """Open a file; what the browser's console then says."""
    driver.get("about:blank")
    driver.get(f"{page.as_uri()}{fragment}")
    return [str(entry["message"]) for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]
