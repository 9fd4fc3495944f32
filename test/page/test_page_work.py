"""What a person does in the views beside the main way: each control that changes or chooses something."""

import base64
import re
import uuid

from scene import Scene, workshop
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


def names(page):
    return [one.text for one in page.all(".agent-row .name")]


def choose(page, label, value):
    page.js("""const [select, value] = arguments; select.value = value;
      select.dispatchEvent(new Event('change', {bubbles: true}))""", page.field(label), value)


def test_agents_are_sorted_and_filtered(page, platform):
    workshop(platform)
    page.until(lambda: len(names(page)) == 7, "all agents")
    assert names(page)[:5] == ["Ada", "Ben", "Cleo", "Dora", "Emil"]
    choose(page, "Sort by", "status")
    page.until(lambda: names(page)[0] == "ops-watch", "what needs care first")
    choose(page, "Sort by", "busy")
    page.until(lambda: names(page)[:2] == ["Ada", "Cleo"], "the busiest first, within its family")
    page.click("waiting")
    page.until(lambda: names(page) == ["Emil"], "those that never connected")
    page.click("online")
    page.until(lambda: len(names(page)) == 6, "those that are online")
    page.type("Filter", "python")
    page.until(lambda: names(page) == ["Cleo"], "by a skill")


def test_several_requests_at_once_and_not_now(page, platform):
    scene = Scene(platform)
    scene.agent("Ada")
    requests = [scene.requests("Ada", kind, f"{kind} {number}") for number in range(2) for kind in ("task", "approval")]

    def status(id):
        return platform.admin("GET", f"/requests/{id}").body["request"]["status"]

    page.go("#/inbox")
    page.until(lambda: len(page.all("[data-request]")) == 4, "all four")
    page.click("Not now", f'[data-request="{requests[0]}"]')
    page.until(lambda: page.all("[data-request]")[-1].get_attribute("data-request") == requests[0], "it is the last")
    assert page.driver.title.startswith("(4)")
    # The tab's icon has a dot.
    icon = "return document.querySelector('link[rel=icon]').href"
    assert page.js(icon).startswith("data:image/svg+xml")
    for id in requests[1:3]:
        page.find(f'[data-request="{id}"] input[type=checkbox]').click()
    page.click("Accept all")
    page.until(lambda: len(page.all("[data-request]")) == 2, "they leave")
    assert [status(id) for id in requests] == ["pending", "approved", "done", "pending"]
    for box in page.js("return [...document.querySelectorAll('[data-request] input[type=checkbox]')].map((one) => one.ariaLabel)"):
        page.field(box).click()
    page.click("Reject all")
    page.see("cannot be opened again")
    page.click("Reject all")
    page.see("Nothing waits for you")
    assert [status(id) for id in requests] == ["rejected", "approved", "done", "rejected"]
    page.until(lambda: page.js(icon).startswith(platform.url), "the plain icon")
    # Nothing there and not known what is there look different.
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/requests/pending*"]})
    page.driver.refresh()
    page.see("Could not load what waits for you", "Try again")
    assert "Nothing waits" not in page.text()
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.click("Try again")
    page.see("Nothing waits for you")


def test_details_are_changed_here(page, platform):
    scene = Scene(platform)
    lead = scene.agent("Ada")
    agent = scene.agent("Ben")
    page.go(f"#/agent/{agent.id}/details")
    page.click("Edit")
    for label, words in (("Name", "Benno"), ("Role", "reads"), ("Monthly budget", "12.5")):
        # As a person replaces it; clear() tells the page nothing.
        page.field(label).send_keys(Keys.CONTROL + "a")
        page.field(label).send_keys(words)
    choose(page, "Belongs to", lead.id)
    page.click("Save")
    page.until(lambda: not page.all("dialog[open]"), "it is saved")
    row = next(one for one in platform.admin("GET", "/workspaces").body if one["id"] == agent.id)
    assert (row["name"], row["role"], row["parent_id"], row["budget_limit"]) == ("Benno", "reads", lead.id, 1250)
    page.see("of $12.50", "Benno")
    page.type("Remember something", "Thursdays at ten")
    choose(page, "Who knows it", "TEAM")
    page.click("Add")
    page.until(lambda: [one.text for one in page.all(".memories .chip")] == ["its team"], "it is kept")
    page.type("Remember something", "Short answers", enter=True)
    page.until(lambda: len(page.all(".memories li")) == 2, "both")
    page.type("Search the memories", "thursdays")
    page.until(lambda: len(page.all(".memories li")) == 1, "the one that has the word")
    page.click("Delete the memory")
    page.click("Delete")
    page.see("No memory has these words")
    kept = platform.request("GET", f"/workspaces/{agent.id}/memories", agent.token).body
    assert [one["content"] for one in kept] == ["Short answers"]


def test_the_person_joins_in(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    scene.asks("Ada", "Ben", "Which font?")
    page.go("#/talk")
    page.see("Which font?")
    page.click("Join in")
    choose(page, "To", scene.agents["Ben"].id)
    page.type("Your message", "The plain one", enter=True)
    page.see("Sent to Ben")
    mine = [row for row in scene.inbox("Ben") if row["source_id"] is None]
    assert mine[0]["request_body"]["params"]["message"]["parts"][0]["text"] == "> Which font?\n\nThe plain one"


def test_pictures_are_shown(page, platform, tmp_path):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/chat")
    page.see("Nothing said yet")
    picture = tmp_path / "dot.png"
    picture.write_bytes(PIXEL)
    page.all("input[type=file]")[0].send_keys(str(picture))
    page.type("Message to Ada", "look", enter=True)
    shown = "return [...document.querySelectorAll('.message img')].map((one) => one.naturalWidth)"
    page.until(lambda: page.js(shown) == [1], "the picture that was sent")
    boundary = uuid.uuid4().hex
    body = (f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="back.png"\r\n'
            "Content-Type: image/png\r\n\r\n").encode() + PIXEL + f"\r\n--{boundary}--\r\n".encode()
    uploaded = platform.request("POST", f"/workspaces/{agent.id}/chat/uploads", agent.token, body=body,
                                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
    scene.says("Ada", "and back", attachments=uploaded.body["files"])
    page.until(lambda: page.js(shown) == [1, 1], "the picture that came")


def test_the_map_is_walked_and_zoomed(page, platform):
    scene = workshop(platform)
    page.go("#/map")
    page.until(lambda: len(page.all(".node")) == 7, "all agents")
    scale = lambda: float(re.search(r"scale\(([\d.]+)\)", page.find(".canvas > g").get_attribute("transform"))[1])  # noqa: E731
    first = scale()
    page.click("Zoom in")
    page.until(lambda: scale() > first, "larger")
    page.click("Fit")
    page.until(lambda: abs(scale() - first) < 0.01, "all is seen again")
    focused = lambda: page.js("return document.activeElement.getAttribute('data-agent')")  # noqa: E731
    page.js("arguments[0].focus()", page.find(f'[data-agent="{scene.agents["Ada"].id}"]'))
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: focused() == scene.agents["Cleo"].id, "the agent below")
    page.press(Keys.ARROW_LEFT)
    page.until(lambda: focused() == scene.agents["Ben"].id, "the agent beside")
    page.press("-")
    page.until(lambda: scale() < first, "smaller")
    page.press(Keys.ENTER)
    page.until(lambda: page.js("return location.hash").startswith(f"#/agent/{scene.agents['Ben'].id}"), "it opens")
    page.go("#/map")
    node = page.find(f'[data-agent="{scene.agents["Dora"].id}"]')
    # Who drags the map does not open what is below the pointer.
    ActionChains(page.driver).click_and_hold(node).move_by_offset(40, 30).move_by_offset(20, 10).release().perform()
    assert page.js("return location.hash") == "#/map"
    node.click()
    page.until(lambda: page.js("return location.hash").startswith(f"#/agent/{scene.agents['Dora'].id}"), "it opens")


def test_the_search_finds_memories_and_does_actions(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    scene.remembers("Ada", "the zebra likes stripes")
    page.see("Ada")
    page.chord(Keys.CONTROL, "k")
    page.find("dialog[open]")
    page.type("Search", "stripes")
    page.until(lambda: any("memory · Ada" in one.text for one in page.all("#hits [role=option]")), "the memory")
    page.press(Keys.ENTER)
    page.until(lambda: page.js("return location.hash") == f"#/agent/{agent.id}/details", "where it is kept")
    page.see("the zebra likes stripes")
    page.chord(Keys.CONTROL, "k")
    page.find("dialog[open]")
    page.type("Search", "new agent")
    page.press(Keys.ENTER)
    page.see("Create agent")
