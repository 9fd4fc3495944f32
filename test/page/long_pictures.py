"""Pictures of every view, in both themes and at phone width, into build/screenshots/, to be looked at;
and the few that docs/page.md shows. On demand: test/page/run --all."""

import pytest
from scene import workshop
from selenium.webdriver.common.keys import Keys
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


def moments(page, scene):
    """What is seen only after a click, or when something is wrong: its name, once it is there."""
    ada, emil, cleo = (scene.agents[name].id for name in ("Ada", "Emil", "Cleo"))
    page.js("document.activeElement.blur()")
    page.chord(Keys.CONTROL, "k")
    page.type("Search", "paper")
    page.until(lambda: len(page.all("#hits [role=option]")) > 3, "hits")
    yield "search"
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog[open]"), "it closes")
    page.press("?")
    page.find("dialog[open]")
    yield "keys"
    page.press(Keys.ESCAPE)
    page.go(f"#/agent/{ada}/details")
    page.click("Edit")
    page.see("Monthly budget")
    yield "edit"
    page.press(Keys.ESCAPE)
    page.click("Remove this agent")
    page.see("to confirm")
    yield "remove"
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog[open]"), "it closes")
    page.js("document.querySelector('.memories').scrollIntoView()")
    yield "memory"
    scene.requests("Cleo", "approval", "Bash", source="permission", tool_name="Bash", session="laptop",
                   description="Removes the build folder", input_preview="rm -rf build && meson setup build")
    page.go("#/inbox")
    page.click("Deny")
    page.click("Ask or answer")
    for box in page.all(".request input[type=checkbox]"):
        box.click()
    page.see("chosen", "No question yet")
    yield "inbox-open"
    page.go(f"#/agent/{emil}/chat")
    page.see("has not connected yet")
    page.js("""const files = new DataTransfer(); files.items.add(new File(['a,b'], 'numbers of the last week.csv'));
      const input = document.querySelector('input[type=file]'); input.files = files.files;
      input.dispatchEvent(new Event('change'))""")
    page.see("numbers of the last week")
    yield "chat-away"
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/a2a", "*/page/talk*"]})
    page.type("Message to Emil", "Are you there?", enter=True)
    page.see("Send again")
    yield "chat-failed"
    page.go("#/talk")
    page.see("Could not load")
    yield "talk-failed"
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.go(f"#/agent/{cleo}/chat")
    page.see("Nothing said yet")
    yield "chat-empty"


@pytest.mark.parametrize("kind", ["light", "dark", "phone"])
def test_pictures_of_moments(page, platform, build, kind):
    scene = workshop(platform)
    page.theme(kind == "dark")
    page.resize(*((390, 844) if kind == "phone" else (1360, 860)))
    page.find(".agent-row")
    for moment in moments(page, scene):
        page.screenshot(build / "screenshots" / f"moment-{moment}-{kind}.png")


def test_first_sight(browser, platform, build):
    browser.open(platform.url + "/")
    browser.see("Log in to Molecule")
    browser.screenshot(build / "screenshots" / "login.png")
    browser.type("Admin token", platform.admin_token, enter=True)
    browser.see("No agents yet")
    browser.screenshot(build / "screenshots" / "empty.png")
