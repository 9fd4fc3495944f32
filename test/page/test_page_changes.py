"""What is changed elsewhere, in every view that shows it, without a reload; and browsers that are not
as this one: a wrong clock, no https, a path of a proxy, notifications."""

import subprocess
import urllib.parse

import pytest
from prefixed import Prefixed
from scene import Scene


def test_what_is_changed_elsewhere_appears(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/details")
    page.see("Nothing is remembered yet")
    scene.remembers("Ada", "Thursdays at ten")
    page.see("Thursdays at ten")
    memory = platform.request("GET", f"/workspaces/{agent.id}/memories", agent.token).body[0]["id"]
    assert platform.admin("DELETE", f"/workspaces/{agent.id}/memories/{memory}").status == 200
    page.see("Nothing is remembered yet")
    broadcast = page.field("Broadcast")
    assert not broadcast.is_selected()
    changed = platform.admin("PATCH", f"/workspaces/{agent.id}/abilities", {"broadcast_enabled": True})
    assert changed.status == 200
    page.until(broadcast.is_selected, "the ability")
    broadcast.click()
    page.until(lambda: platform.admin("GET", f"/workspaces/{agent.id}").body["broadcast_enabled"] is False, "it is taken away")
    assert platform.admin("PATCH", f"/workspaces/{agent.id}", {"name": "Ada Lovelace"}).status == 200
    page.until(lambda: "Ada Lovelace" in page.all(".agent-head h1")[0].text, "the new name")
    assert platform.admin("PATCH", f"/workspaces/{agent.id}/budget", {"budget_limit": 1250}).status == 200
    page.see("of $12.50")


def test_tokens_that_end_elsewhere_are_shown_no_longer(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/connect")
    page.click("New token")
    shown = page.until(lambda: page.js("return document.getElementById('token')?.innerText"), "the token")
    platform.secrets.add(shown)
    rotated = platform.admin("POST", f"/workspaces/{agent.id}/external/rotate", {})
    assert rotated.status == 200
    page.gone(shown)
    page.see("A token is shown once")
    page.click("Tokens")
    token = rotated.body["connection"]["auth_token"]
    page.see(token[:8])
    page.click("New token")
    made = page.until(lambda: page.js("return document.getElementById('new-token')?.innerText"), "the new token")
    platform.secrets.add(made)
    tokens = platform.admin("GET", f"/workspaces/{agent.id}/tokens").body["tokens"]
    revoked = next(one for one in tokens if made.startswith(one["prefix"]))
    assert platform.admin("DELETE", f"/workspaces/{agent.id}/tokens/{revoked['id']}").status == 200
    page.gone(made[:8])


def test_an_open_thread_goes_on_by_itself(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    request = scene.requests("Ada", "task", "Choose a journal")
    page.go("#/inbox")
    page.click("Ask or answer")
    page.see("No question yet")
    assert platform.request("POST", f"/workspaces/{agent.id}/requests/{request}/messages", agent.token,
                            {"body": "JOSS or TOPLAS?"}).status == 201
    page.see("JOSS or TOPLAS?")


def test_what_is_being_written_stays(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben", "Cleo"):
        scene.agent(name)
    first = f'[data-request="{scene.requests("Ada", "task", "Choose a journal")}"]'
    second = f'[data-request="{scene.requests("Ben", "task", "Choose a name")}"]'
    page.go("#/inbox")
    page.click("Reject", first)
    page.type("Why?", "not this y")
    page.find(f"{second} input[type=checkbox]").click()
    page.see("1 chosen")
    assert page.field("Why?").get_attribute("value") == "not this y"
    # The first pair has no choice of pairs above it, the second brings it.
    scene.asks("Ada", "Ben", "One?")
    page.go("#/talk")
    page.see("One?")
    page.click("Join in")
    page.type("Your message", "I think")
    scene.asks("Ada", "Cleo", "Two?")
    page.see("Two?", "everyone")
    assert page.field("Your message").get_attribute("value") == "I think"


def test_more_than_a_page_of_requests_is_counted_and_reached(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
        for number in range(110):
            scene.requests(name, "task", f"{name} {number:03}")
    page.until(lambda: page.driver.title.startswith("(220)"), "all are counted")
    page.go("#/inbox")
    page.see("20 more wait")
    page.click("Show more")
    page.until(lambda: len(page.all("[data-request]")) == 220, "all are shown")
    page.see("Ada 000", "Ben 000")


@pytest.mark.parametrize("hours", [-3, 5])
def test_a_wrong_clock_changes_nothing(browser, platform, hours):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    scene.asks("Ada", "Ben", "Hello Ben")
    scene.says("Ada", "Hello")
    restore = browser.before_pages(f"const real = Date.now.bind(Date); Date.now = () => real() + {hours} * 3600000;")
    try:
        browser.open(platform.url + "/")
        browser.type("Admin token", platform.admin_token, enter=True)
        browser.find(".agent-row")
        browser.until(lambda: all(one.text.endswith(" s ago") for one in browser.all(".beat")), "the agents are of now")
        browser.go("#/map")
        browser.find(".map .line")
        browser.go(f"#/agent/{scene.agents['Ada'].id}/chat")
        browser.type("Message to Ada", "Hi", enter=True)
        browser.find(".message.user.sent")
        scene.says("Ada", "Hello again")
        browser.see("Hello again")
        texts = [one.text.split("\n")[0] for one in browser.all(".message")]
        assert texts == ["Hello", "Hi", "Hello again"]
    finally:
        restore()


def test_a_browser_without_https_can_send(browser, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    # As in a network without https, where browsers take these away.
    restore = browser.before_pages("delete Crypto.prototype.randomUUID; delete Navigator.prototype.clipboard;")
    try:
        browser.open(platform.url + f"/#/agent/{agent.id}/chat")
        browser.type("Admin token", platform.admin_token, enter=True)
        browser.find(".chat .log")
        assert browser.js("return typeof crypto.randomUUID + typeof navigator.clipboard") == "undefinedundefined"
        browser.type("Message to Ada", "sent over plain http", enter=True)
        browser.find(".message.user.sent")
        browser.go(f"#/agent/{agent.id}/connect")
        browser.click("Copy the lines")
        browser.see("Selected: press Ctrl-C")
        assert "daemon" in browser.js("return String(getSelection())")
        assert browser.complaints() == []
    finally:
        restore()


def test_the_page_works_below_a_path(browser, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    made = subprocess.run([platform.binary, "login-link", "--data", str(platform.data_dir)],
                          capture_output=True, text=True, timeout=30)
    code = urllib.parse.urlsplit(made.stdout.strip()).query
    with Prefixed(platform.port, "/team/agents") as way:
        browser.open(f"{way.url}/login?{code}")
        browser.see("Ada", "Live")
        assert browser.driver.current_url == way.url + "/"
        browser.go(f"#/agent/{agent.id}/chat")
        scene.says("Ada", "below a path")
        browser.see("below a path")
        browser.type("Message to Ada", "heard", enter=True)
        browser.find(".message.user.sent")
        browser.go(f"#/agent/{agent.id}/connect")
        browser.see(f"PLATFORM_URL={way.url}")
        browser.click("Activity")
        browser.see("your message")
        assert way.outside == []
        assert browser.complaints() == []


NOTIFICATIONS = """
  window.shown = [];
  window.Notification = class {
    static permission = 'granted';
    static requestPermission() { return Promise.resolve('granted'); }
    constructor(title, options) { if (window.phone) throw new TypeError('Illegal constructor'); window.shown.push([title, options.body]); }
    close() {}
  };
  Object.defineProperty(Document.prototype, 'hidden', { get: () => !!window.away });
"""


def test_notifications_come_only_where_they_are_wanted(browser, platform):
    scene = Scene(platform)
    scene.agent("Ada")

    def arrived(count):
        """A request comes after what came before it, and is counted in the title."""
        scene.requests("Ada", "task", f"number {count}")
        browser.until(lambda: browser.driver.title.startswith(f"({count})"), f"request {count}")

    restore = browser.before_pages(NOTIFICATIONS)
    try:
        browser.open(platform.url + "/#/settings")
        browser.type("Admin token", platform.admin_token, enter=True)
        browser.see("Live")
        browser.js("window.away = true")
        scene.says("Ada", "nobody asked to hear this")
        arrived(1)
        browser.js("window.away = false")
        browser.field("Notifications").click()
        scene.says("Ada", "the page is in sight")
        arrived(2)
        browser.js("window.away = true")
        scene.says("Ada", "the page is away")
        scene.requests("Ada", "approval", "Delete\u202e it")
        browser.until(lambda: len(browser.js("return window.shown")) == 2, "two notifications")
        assert browser.js("return window.shown") == [["Ada", "the page is away"], ["Ada asks you", "Delete it"]]
        # Phones refuse them in this way: the rest goes on.
        browser.js("window.phone = true")
        scene.requests("Ada", "task", "One more")
        browser.until(lambda: browser.driver.title.startswith("(4)"), "all are counted")
        assert browser.complaints() == []
    finally:
        restore()
