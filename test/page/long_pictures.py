"""Pictures of every view, in both themes and at phone width, into build/screenshots/, to be looked at;
and the few that docs/page.md shows. On demand: test/page/run --all."""

import pytest
from scene import workshop
from test_page_looks import DRAWN, views


@pytest.mark.parametrize("kind", ["light", "dark", "phone"])
def test_pictures(page, platform, build, kind):
    scene = workshop(platform)
    page.theme(kind == "dark")
    page.resize(*((390, 844) if kind == "phone" else (1360, 860)))
    folder = build / "screenshots"
    for view, place in views(scene):
        page.go(place)
        page.find(DRAWN[view])
        page.until(lambda: not page.all(".skeleton"), "everything is loaded")
        # The same view of one agent and of all has the same name.
        name = f"agent-{view}" if "/agent/" in place else view
        page.screenshot(folder / f"{name}-{kind}.png")
    page.js("document.activeElement.blur()")
    page.press("n")
    page.find("dialog[open]")
    page.screenshot(folder / f"create-{kind}.png")


def test_first_sight(browser, platform, build):
    browser.open(platform.url + "/")
    browser.see("Log in to Molecule")
    browser.screenshot(build / "screenshots" / "login.png")
    browser.type("Admin token", platform.admin_token, enter=True)
    browser.see("No agents yet")
    browser.screenshot(build / "screenshots" / "empty.png")
