import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import browser as browser_module  # noqa: E402
from support.platform import Platform  # noqa: E402

BUILD = Path(os.environ.get("MOLECULE_BUILD", "build")).resolve()


@pytest.fixture(scope="session", autouse=True)
def _needs_a_browser():
    why = browser_module.missing()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def build():
    if not (BUILD / "molecule-platform").is_file():
        raise pytest.UsageError(f"no molecule-platform in {BUILD}: build it first, or set MOLECULE_BUILD")
    return BUILD


@pytest.fixture(scope="session")
def one_browser():
    """One process for all tests of this worker; each test gets it empty."""
    with browser_module.Browser() as browser:
        yield browser


@pytest.fixture
def browser(one_browser):
    one_browser.resize(1360, 860)
    one_browser.theme(False)
    one_browser.driver.delete_all_cookies()
    yield one_browser
    one_browser.open("about:blank")


@pytest.fixture
def platform(build, request):
    """A module sets what it needs of the environment as PLATFORM_ENV."""
    with Platform(build, env=getattr(request.module, "PLATFORM_ENV", None)) as running:
        yield running


@pytest.fixture
def page(browser, platform):
    """The browser, logged in."""
    browser.open(platform.url + "/")
    browser.type("Admin token", platform.admin_token, enter=True)
    browser.find(".rail")
    browser.requests()
    browser.complaints()
    yield browser
    assert browser.complaints() == []
