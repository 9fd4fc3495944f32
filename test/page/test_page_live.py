"""The page is right without a reload: events, a cut stream, a platform that was away."""

import uuid

from scene import Scene
from selenium.webdriver.common.keys import Keys


def test_what_others_do_appears_by_itself(page, platform):
    scene = Scene(platform)
    page.see("No agents yet", "Live")
    scene.agent("Ada", online=False)
    page.see("waiting for its agent")
    scene.register("Ada", ["reading"])
    page.see("online", "reading")
    platform.heartbeat(scene.agents["Ada"], active_tasks=2, current_task="Counting the stars")
    page.see("2 active tasks", "Counting the stars", "s ago")
    scene.agent("Ben")
    scene.asks("Ada", "Ben", "Is it done?")
    page.see("1 unread")
    page.go("#/talk")
    page.see("Is it done?")
    scene.asks("Ben", "Ada", "It is.")
    page.see("It is.")
    request = scene.requests("Ada", "task", "Look at this")
    page.until(lambda: page.driver.title.startswith("(1)"), "the number in the title")
    platform.request("POST", f"/workspaces/{scene.agents['Ada'].id}/requests/{request}/cancel",
                     scene.agents["Ada"].token, {})
    page.until(lambda: not page.driver.title.startswith("("), "the number leaves")
    page.go("#/agents")
    assert platform.admin("DELETE", f"/workspaces/{scene.agents['Ben'].id}?confirm=true",
                          headers={"X-Confirm-Name": "Ben"}).status == 200
    page.until(lambda: "Ben" not in page.text(), "the removed agent leaves")


def test_a_cut_stream_comes_back_and_nothing_shows_twice(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/chat")
    scene.says("Ada", "before the cut")
    page.see("before the cut")
    page.type("Message to Ada", "typed meanwhile")
    platform.kill9()
    page.until(lambda: page.all(".live.reconnecting, .live.offline"), "the mark says so")
    assert page.js("const rail = document.querySelector('.rail'); return rail.scrollWidth <= rail.clientWidth")
    page.field("Message to Ada").send_keys("\n")
    page.see("the platform does not answer")
    platform.restart()
    scene.says("Ada", "while it was away")
    page.until(lambda: page.all(".live.live"), "live again", 60)
    page.see("while it was away")
    page.click("Send again")
    page.find(".message.user.sent")
    scene.says("Ada", "after it")
    page.see("after it")
    for words in ("before the cut", "while it was away", "after it", "typed meanwhile"):
        assert page.text().count(words) == 1, words
    rows = [row for row in scene.inbox("Ada") if row["method"] == "message/send"]
    assert len(rows) == 1


def test_scrolling_up_stays_where_it_is(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    for number in range(130):
        scene.says("Ada", f"message {number}")
    page.go(f"#/agent/{agent.id}/chat")
    page.see("message 129")
    top = "const log = document.querySelector('.log'); "
    page.js(top + "log.scrollTop = 0; log.dispatchEvent(new Event('scroll'))")
    page.until(lambda: int(page.all(".message")[0].text.split()[1]) < 40, "older messages")
    # The first message that is seen, and where.
    first = """const one = [...document.querySelectorAll('.message')].find((message) =>
      message.getBoundingClientRect().bottom > 200); return [one.innerText, one.getBoundingClientRect().top | 0]"""
    page.js(top + "log.scrollTop = 600")
    page.until(lambda: page.all(".to-end"), "it no longer sticks to the end")
    where = page.js(first)
    scene.says("Ada", "a new one")
    page.see("New messages")
    assert page.js(first) == where
    page.click("New messages")
    page.until(lambda: page.all(".message")[-1].text.startswith("a new one"), "the end")


def test_composing_does_not_send(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/chat")
    field = page.field("Message to Ada")
    field.send_keys("にほん")
    page.js("""const press = (more) => arguments[0].dispatchEvent(new KeyboardEvent('keydown',
      {key: 'Enter', bubbles: true, cancelable: true, ...more}));
      press({isComposing: true}); press({keyCode: 229}); press({shiftKey: true})""", field)
    assert page.all(".message") == []
    page.js("""arguments[0].dispatchEvent(new KeyboardEvent('keydown',
      {key: 'Enter', bubbles: true, cancelable: true}))""", field)
    page.find(".message.user.sent")


def test_what_was_found_is_shown(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    scene.agent("Ben")
    scene.says("Ada", "the zebra stands here")
    for number in range(200):
        scene.says("Ada", f"message {number}")
    scene.asks("Ben", "Ada", "have you seen the giraffe?")
    page.chord(Keys.CONTROL, "k")
    page.type("Search", "zebra")
    page.until(lambda: any("zebra stands" in one.text for one in page.all("#hits [aria-selected=true]")), "the message is found")
    page.press(Keys.ENTER)
    found = page.find(".message.sought")
    assert "the zebra stands here" in found.text
    assert page.js("""const box = arguments[0].getBoundingClientRect();
      return box.top > 0 && box.bottom < innerHeight""", found)
    # What is said meanwhile does not take it away.
    scene.says("Ada", "one more")
    page.see("New messages")
    assert page.js("return arguments[0].getBoundingClientRect().top > 0", found)
    page.chord(Keys.CONTROL, "k")
    page.type("Search", "giraffe")
    page.until(lambda: any("giraffe" in one.text for one in page.all("#hits [aria-selected=true]")), "the other one")
    page.press(Keys.ENTER)
    page.until(lambda: page.js("return location.hash") == f"#/agent/{agent.id}/talk", "what agents say")
    page.see("have you seen the giraffe?")


def test_an_answer_shows_once_and_under_its_question(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/chat")
    page.type("Message to Ada", "What is 6 times 7?", enter=True)
    page.find(".message.user.sent")
    page.type("Message to Ada", "And who asks?", enter=True)
    page.until(lambda: len(page.all(".message.user.sent")) == 2, "both are sent")
    question = next(row for row in scene.inbox("Ada") if "6 times 7" in str(row))
    # As molecule-mcp answers: with an id, so that a repetition counts once.
    scene.says("Ada", "It is 42.", messageId=str(uuid.uuid4()), in_reply_to=question["request_body"]["params"]["message"]["messageId"])
    page.see("It is 42.")
    page.until(lambda: "What is 6 times 7?" in page.find(".message.agent .quoted").text, "its question")
    scene.says("Ada", "Anything else?", messageId=str(uuid.uuid4()))
    page.see("Anything else?")
    shown = [one.text.split("\n")[-2] for one in page.all(".message.agent")]
    assert shown == ["It is 42.", "Anything else?"]
    page.driver.refresh()
    page.see("Anything else?")
    page.until(lambda: "What is 6 times 7?" in page.find(".message.agent .quoted").text, "its question, from the history")


def test_a_delegation_is_found_once(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    task = scene.delegates("Ada", "Ben", "count the okapis")
    scene.asks("Ben", "Ada", "seven okapis", in_reply_to=task)
    page.see("Ada", "Ben")
    page.chord(Keys.CONTROL, "k")
    page.type("Search", "okapis")
    page.until(lambda: len(page.all("#hits [role=option]")) >= 2, "the task and the answer")
    assert sorted(one.text.split("\n")[0] for one in page.all("#hits [role=option]")) == ["count the okapis", "seven okapis"]


def events(page):
    """What the log says, newest first: what happened, to whom, and the words."""
    return page.js("""return [...document.querySelectorAll('.event > button')].map((one) =>
      [...one.querySelectorAll('.status, .name, .what')].map((part) => part.innerText.trim()).join(' | '))""")


def test_the_activity_is_the_same_after_a_reload(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    page.go("#/activity")
    page.see("agent created")
    scene.asks("Ada", "Ben", "Is it done?")
    scene.says("Ben", "It is done.")
    scene.person_says("Ben", "Thanks!")
    scene.delegates("Ada", "Ben", "Do it again")
    scene.requests("Ben", "task", "Look at it")
    page.see("Look at it")
    messages = ["message | Ben | Ada: Do it again", "your message | Ben | Thanks!",
                "message to you | Ben | It is done.", "message | Ben | Ada: Is it done?"]
    page.until(lambda: [row for row in events(page) if "message" in row] == messages, f"the messages: {events(page)}")
    live = events(page)
    page.driver.refresh()
    page.find(".event")
    # What one call caused has no order that a person would miss.
    page.until(lambda: sorted(events(page)) == sorted(live), f"the same: {live} is {events(page)}")
    assert [row for row in events(page) if "message" in row] == messages
    next(one for one in page.all(".event > button") if "your message" in one.text).click()
    page.until(lambda: '"text": "Thanks!"' in page.find(".event-detail pre").text, "its detail")
    page.js("""const [select] = arguments; select.value = 'message to you';
      select.dispatchEvent(new Event('change', {bubbles: true}))""", page.field("Of which type"))
    page.until(lambda: events(page) == ["message to you | Ben | It is done."], "only those")


def test_an_agents_activity_does_not_end_with_that_of_all(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    scene.says("Ada", "long ago")
    for number in range(110):
        scene.says("Ben", f"message {number}")
    page.driver.refresh()
    page.go("#/activity")
    page.see("message 109")
    assert "long ago" not in page.text()
    page.go(f"#/agent/{scene.agents['Ada'].id}/activity")
    page.see("long ago", "agent created")
    scene.says("Ada", "just now")
    page.see("just now")
    assert [row for row in events(page) if "message" in row] == ["message to you | just now", "message to you | long ago"]


# Where a pulse begins and ends, told by its animation: on a busy machine it may be gone before it is looked at.
PULSES = """
  window.pulses = [];
  new MutationObserver(() => {
    for (const one of document.querySelectorAll('.passing:not([data-seen])')) {
      one.dataset.seen = 'yes';
      const [animation] = one.getAnimations();
      const at = (time) => {
        if (animation) animation.currentTime = time;
        const box = one.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
      };
      window.pulses.push([at(0), at(1199)]);
      if (animation) animation.currentTime = 0;
    }
  }).observe(document, {subtree: true, childList: true});
"""


def test_a_message_passes_over_the_map(page, platform):
    scene = Scene(platform)
    for name in ("Ada", "Ben"):
        scene.agent(name)
    page.theme(False, motion=True)
    page.go("#/map")
    page.until(lambda: len(page.all(".node")) == 2, "both agents")
    page.js(PULSES)
    scene.asks("Ada", "Ben", "over to you")
    (start, end), = page.until(lambda: page.js("return window.pulses"), "a pulse")
    boxes = {node.get_attribute("aria-label").partition(",")[0]: node.rect for node in page.all(".node")}

    def distance(point, name):
        box = boxes[name]
        return max(box["x"] - point[0], point[0] - box["x"] - box["width"],
                   box["y"] - point[1], point[1] - box["y"] - box["height"])
    assert distance(start, "Ada") < 12 < distance(start, "Ben"), (start, boxes)
    assert distance(end, "Ben") < 12 < distance(end, "Ada"), (end, boxes)
    page.until(lambda: not page.all(".passing"), "the pulse ends")

    def line(sender):
        titles = [one.get_attribute("innerHTML") for one in page.all(".map .line title")]
        return next((title for title in titles if title.startswith(sender)), "")
    assert line("Ada") == "Ada wrote to Ben: 1 in the last hour"
    # Whoever wants no motion gets the line alone.
    page.theme(False)
    scene.asks("Ben", "Ada", "and back")
    page.until(lambda: line("Ben") == "Ben wrote to Ada: 1 in the last hour", "the line back")
    assert len(page.js("return window.pulses")) == 1
