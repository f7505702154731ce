"""The report in Debian's chromium: no error, no request, pictures, slider, dark mode, print."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from shaketable.report import build_report
from tests.helpers.synthetic_run import write_run

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Debian's chromium and chromium-driver are not installed")
    from selenium.webdriver.chrome.service import Service

    profile = tmp_path_factory.mktemp("profile")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="module")
def opened(browser: Chrome, tmp_path_factory: pytest.TempPathFactory) -> tuple[Chrome, list[Any]]:
    """The browser with the report open, and everything that it logged about the network."""
    path = build_report(write_run(tmp_path_factory.mktemp("run")))
    browser.get_log("performance")
    browser.get(path.as_uri())
    for details in browser.find_elements("css selector", "details"):
        browser.execute_script("arguments[0].open = true", details)
    events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    return browser, events


def test_no_console_message(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    assert browser.get_log("browser") == []


def test_no_request_but_the_file_itself(opened: tuple[Chrome, list[Any]]) -> None:
    browser, events = opened
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert browser.current_url in urls
    # Chromium's own first page may still be loading its icons, which no file can ask for.
    others = ("data:", "chrome:")
    assert {url for url in urls if not url.startswith(others)} == {browser.current_url}
    assert not [e for e in events if e["method"].startswith("Network.webSocket")]


def test_every_picture_has_pixels(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    widths = browser.execute_script(
        "return [...document.images].map(i => i.complete ? i.naturalWidth : -1)"
    )
    assert len(widths) > 60
    assert min(widths) > 0


def test_every_chart_is_drawn(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('svg.chart')].map(s => s.getBBox().width)"
    )
    assert len(boxes) == 8
    assert min(boxes) > 300


def test_the_slider_moves_by_keyboard_and_by_pointer(opened: tuple[Chrome, list[Any]]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser, _ = opened
    compare = browser.find_element("css selector", "[data-compare]")
    slider = compare.find_element("css selector", "input[type=range]")
    before = compare.find_element("css selector", ".before img")
    assert slider.is_displayed()
    assert slider.get_attribute("aria-label")
    start = before.value_of_css_property("clip-path")
    slider.send_keys(Keys.ARROW_RIGHT * 10)
    assert slider.get_attribute("value") == "60"
    by_key = before.value_of_css_property("clip-path")
    assert by_key != start
    stage = compare.find_element("css selector", ".stage")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    offset = -stage.size["width"] // 4
    ActionChains(browser).move_to_element_with_offset(stage, offset, 0).click().perform()
    assert 20 <= int(slider.get_attribute("value") or -1) <= 30
    assert before.value_of_css_property("clip-path") not in (start, by_key)


def test_without_script_the_pair_stands_side_by_side(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.refresh()
        pair = browser.find_elements("css selector", ".stage img")
        slider = browser.find_element("css selector", "[data-compare] label")
        assert pair[0].rect["x"] + pair[0].rect["width"] <= pair[1].rect["x"]
        assert pair[0].rect["y"] == pair[1].rect["y"]
        assert not slider.is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        browser.refresh()


def _luminance(browser: Chrome, name: str) -> float:
    colour = browser.execute_script(
        f"return getComputedStyle(document.body).getPropertyValue('{name}')"
    )
    channels = [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(browser: Chrome) -> tuple[float, float]:
    ink, paper = (_luminance(browser, name) for name in ("color", "background-color"))
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05), paper


def test_dark_mode_is_dark_light_mode_is_light_and_both_are_readable(
    opened: tuple[Chrome, list[Any]],
) -> None:
    browser, _ = opened
    found = {}
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        found[scheme] = _contrast(browser)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found["light"][1] > 0.8
    assert found["dark"][1] < 0.05
    assert min(contrast for contrast, _ in found.values()) > 7


def test_a_narrow_window_does_not_scroll_sideways(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 360


def test_it_prints(opened: tuple[Chrome, list[Any]]) -> None:
    browser, _ = opened
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    content = base64.b64decode(printed["data"])
    assert content.startswith(b"%PDF")
    assert 4 <= content.count(b"/Type /Page\n") <= 60
