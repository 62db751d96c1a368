"""A headless Chromium for tests of the page, with what it says of errors and of the network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

#: Where Debian's packages put them, or whatever is first on the path.
_CHROMIUM, _DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))

#: Addresses that stand for something inside the page.
_INSIDE = ("file:", "data:", "blob:", "about:", "chrome:")


def has_browser() -> bool:
    """Return whether there is a Chromium with its driver."""
    return bool(_CHROMIUM and _DRIVER)


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a driver of a new Chromium; skips the test where there is none."""
    if not has_browser():
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    arguments = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own does not work for root, as in containers
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """A page from the disk in a browser, ``width`` pixels wide."""

    def __init__(self, driver: Any, path: Path, width: int = 1440, height: int = 900) -> None:
        self.driver = driver
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get("about:blank")
        self.complaints()  # forgets what an earlier page said
        self.outside()
        driver.get(path.as_uri())
        self.until(
            "return document.querySelector('#choice-plot .plotly') || !document.getElementById('choice-plot')"
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str) -> Any:
        """Wait until a script returns something true, and return that."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 60).until(lambda driver: driver.execute_script(script))

    def find(self, selector: str) -> Any:
        """Return the first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """Return the elements of a CSS selector."""
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def text(self, selector: str) -> str:
        """Return the text of the first element of a CSS selector, hidden or not."""
        return str(self.find(selector).get_property("textContent")).strip()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    @property
    def focused(self) -> Any:
        """The element that has the focus."""
        return self.driver.switch_to.active_element

    def complaints(self) -> list[str]:
        """Return what the console has said since it was last asked."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def outside(self) -> list[str]:
        """Return the addresses that were asked for outside of the page since it was last asked."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        urls = (
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        )
        return [url for url in urls if not url.startswith(_INSIDE)]

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.run("const e = document.documentElement; return e.scrollWidth - e.clientWidth"))
