"""The event stream is away for a minute while much happens: afterwards every view says what the API
says, and nothing twice. On demand: test/page/run --all."""

import threading
import time

from cuttable import Cuttable
from scene import Scene

CUT_SECONDS = 60
# One agent writes more than usual.
PLATFORM_ENV = {"RATE_LIMIT": "0"}


def keep_busy(scene, stop, failures):
    number = 0
    try:
        while not stop.wait(0.1):
            scene.says("Ada", f"message {number:04} of Ada")
            scene.asks("Ben", "Ada", f"question {number:04} of Ben")
            scene.platform.heartbeat(scene.agents["Cleo"], active_tasks=1, current_task=f"step {number:04}")
            if number % 50 == 0:
                scene.agent(f"late {number:04}")
                scene.requests("Cleo", "task", f"request {number:04}")
            number += 1
    except AssertionError as failure:
        failures.append(failure)


def words_of(row):
    """Of a row of a message, as the activity shows it."""
    payload = row["payload"]
    if payload["method"] == "notify":
        return payload["response_body"]["result"]
    return "Ben: " + payload["request_body"]["params"]["message"]["parts"][0]["text"]


def shown_and_true(page, place, script, true, what):
    page.go(place)
    page.until(lambda: page.js(script) == true(), f"{what}: {page.js(script)} is {true()}")


def test_after_a_minute_without_events_every_view_is_right(browser, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben", "Cleo"):
        scene.agent(name)
    chat = f"#/agent/{scene.agents['Ada'].id}/chat"
    with Cuttable(platform.port) as way:
        browser.open(way.url + "/")
        browser.type("Admin token", platform.admin_token, enter=True)
        browser.find(".live.live")
        browser.go(chat)
        stop, failures = threading.Event(), []
        load = threading.Thread(target=keep_busy, args=(scene, stop, failures))
        load.start()
        browser.see("message 0005 of Ada")
        way.cut()
        began = time.monotonic()
        browser.until(lambda: browser.all(".live.reconnecting, .live.offline"), "the mark says so")
        browser.until(lambda: time.monotonic() - began > CUT_SECONDS, "the minute", 2 * CUT_SECONDS)
        assert way.refused >= 3
        way.mend()
        # While it is still busy: the last pause before a new attempt is 30 s.
        browser.until(lambda: browser.all(".live.live"), "live again", 60)
        stop.set()
        load.join()
        assert failures == []

        history = platform.admin("GET", f"/workspaces/{scene.agents['Ada'].id}/chat-history?limit=1000").body["messages"]
        said = [row["content"] for row in history if row["role"] == "agent"]
        assert len(said) > 100
        browser.see(said[-1])
        texts = "return [...document.querySelectorAll('.message.agent .markdown')].map((one) => one.innerText.trim())"
        shown_and_true(browser, chat, texts, lambda: said[-len(browser.js(texts)):], "the chat")
        names = "return [...document.querySelectorAll('.agent-row .name')].map((one) => one.innerText.trim()).sort()"
        shown_and_true(browser, "#/agents", names, lambda: sorted(scene.agents), "the list")
        listed = {row["name"]: row for row in platform.admin("GET", "/workspaces").body}
        browser.see(listed["Cleo"]["current_task"])
        requests = "return [...document.querySelectorAll('[data-request]')].map((one) => one.dataset.request).sort()"
        shown_and_true(browser, "#/inbox", requests,
                       lambda: sorted(row["id"] for row in platform.admin("GET", "/requests/pending").body), "the inbox")
        browser.go("#/talk")
        browser.find(".said")
        newest = platform.admin("GET", "/page/talk?limit=1").body["rows"][0]
        browser.see(newest["request_body"]["params"]["message"]["parts"][0]["text"])
        talk = browser.js("return [...document.querySelectorAll('.said .markdown')].map((one) => one.innerText.trim())")
        assert len(talk) == len(set(talk)) > 10
        messages = """return [...document.querySelectorAll('.event')].filter((one) =>
          one.querySelector('.status').innerText.includes('message')).map((one) => one.querySelector('.what').innerText.trim()).slice(0, 40)"""
        shown_and_true(browser, "#/activity", messages, lambda: [words_of(row) for row in platform.admin("GET", "/page/log").body][:40],
                       "the activity")
        browser.go("#/map")
        browser.until(lambda: len(browser.all(".node")) == len(scene.agents), "all nodes")
        assert browser.complaints() == []
