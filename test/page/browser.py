"""Debian's Chromium, driven by selenium: what a person sees of the page and does there.

    with Browser() as browser:
        browser.open(url)
        browser.click("New agent")
"""

import json
import pathlib
import shutil
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException, StaleElementReferenceException,
                                        WebDriverException)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support.deadline import DEADLINE

# A wait here is for a page of this machine; a failure must not hold the suite for minutes.
PATIENCE = min(DEADLINE, 30.0)


def missing():
    """Why there is no browser here, or an empty text."""
    return "" if shutil.which("chromium") and shutil.which("chromedriver") else (
        "chromium or chromedriver is missing (Debian: chromium chromium-driver)")


class Browser:
    def __init__(self, width=1360, height=860, dark=False):
        self._profile = tempfile.mkdtemp(prefix="browser-")
        self.downloads = pathlib.Path(self._profile, "downloads")
        self.downloads.mkdir()
        options = Options()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--no-first-run", "--disable-extensions", "--disable-background-networking",
                         "--hide-scrollbars", "--lang=en-US", "--force-prefers-reduced-motion",
                         f"--user-data-dir={self._profile}/data"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.resize(width, height)
        self.theme(dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    # --- looks ----------------------------------------------------------------------------

    def resize(self, width, height):
        """Of the page itself, also narrower than a window can be."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def theme(self, dark, motion=False):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"}]})

    def before_pages(self, script):
        """Runs `script` in each page that opens from now on, before the page's own. Returns what ends
        it."""
        name = "Page.addScriptToEvaluateOnNewDocument"
        made = self.driver.execute_cdp_cmd(name, {"source": script})
        return lambda: self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)

    def screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    # --- going and waiting ----------------------------------------------------------------

    def open(self, url):
        self.driver.get(url)

    def go(self, fragment):
        self.js("location.hash = arguments[0]", fragment)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, what, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while True:
            try:
                value = condition()
            except (StaleElementReferenceException, ElementClickInterceptedException):
                value = None
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{self.text()[:3000]}"
            time.sleep(0.02)

    def text(self):
        return self.js("return document.body.innerText") or ""

    def see(self, *words, seconds=PATIENCE):
        for word in words:
            self.until(lambda word=word: word in self.text(), f"the page shows {word!r}", seconds)

    def gone(self, word):
        self.until(lambda: word not in self.text(), f"the page no longer shows {word!r}")

    # --- elements -------------------------------------------------------------------------

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def find(self, css):
        return self.until(lambda: next((one for one in self.all(css) if one.is_displayed()), None), css)

    def named(self, name, within="body"):
        """The button, link or tab whose accessible name, or text, begins so. Of open dialogs, the
        topmost is looked at alone."""
        script = """
          const dialogs = document.querySelectorAll('dialog[open]');
          const root = dialogs.length ? dialogs[dialogs.length - 1] : document.querySelector(arguments[1]);
          if (!root) return null;
          for (const one of root.querySelectorAll('button,a,[role=tab],summary,[role=option]')) {
            const name = (one.getAttribute('aria-label') || one.innerText || '').trim();
            if (name.startsWith(arguments[0]) && one.getClientRects().length && !one.disabled) return one;
          }
          return null"""
        return self.until(lambda: self.js(script, name, within), f"a control named {name!r}")

    def click(self, name, within="body"):
        def press():
            self.named(name, within).click()
            return True
        self.until(press, f"clicking {name!r}")

    def field(self, label):
        """The field with that label, name or placeholder."""
        script = """
          const dialogs = document.querySelectorAll('dialog[open]');
          const root = dialogs.length ? dialogs[dialogs.length - 1] : document;
          for (const one of root.querySelectorAll('input,textarea,select')) {
            const names = [one.getAttribute('aria-label'), one.placeholder,
                           ...[...(one.labels || [])].map((label) => label.innerText)];
            if (names.some((name) => (name || '').trim().startsWith(arguments[0]))) return one;
          }
          return null"""
        return self.until(lambda: self.js(script, label), f"a field {label!r}")

    def type(self, label, words, enter=False):
        field = self.field(label)
        field.send_keys(words + (Keys.ENTER if enter else ""))
        return field

    def chord(self, *keys):
        """Holds all but the last key while that is pressed."""
        chain = ActionChains(self.driver)
        for key in keys[:-1]:
            chain.key_down(key)
        chain.send_keys(keys[-1])
        for key in keys[:-1]:
            chain.key_up(key)
        chain.perform()

    def press(self, *keys):
        """One after the other."""
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def focused(self):
        return self.js("return document.activeElement && (document.activeElement.getAttribute('aria-label')"
                       " || document.activeElement.innerText || document.activeElement.tagName)")

    # --- what went wrong ------------------------------------------------------------------

    def offline(self, off):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def requests(self):
        """The URLs that the page asked for since this was called last."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def complaints(self):
        """What the browser's console says of scripts and policies; not of refused calls, which are
        answers."""
        try:
            entries = self.driver.get_log("browser")
        except WebDriverException:
            return []
        return [entry["message"] for entry in entries
                if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
                and "WebSocket connection" not in entry["message"]]
