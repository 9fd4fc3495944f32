"""Hundreds of agents, thousands of messages, two browsers at once. On demand: test/page/run --all."""

import time

from browser import Browser
from scene import Scene, many


def test_300_agents(page, platform):
    scene = many(platform, 300)
    page.open("about:blank")
    start = time.monotonic()
    page.open(platform.url + "/")
    page.until(lambda: len(page.all(".agent-row")) == 300, "all rows")
    assert time.monotonic() - start < 10
    page.type("Filter", "agent 299")
    page.until(lambda: len(page.all(".agent-row")) == 1, "one row")
    page.go("#/map")
    page.until(lambda: len(page.all(".node")) == 300, "all nodes")
    small = page.js("""return [...document.querySelectorAll('.node text')]
      .filter((one) => one.getBoundingClientRect().height < 12).length""")
    assert small == 0
    page.click("Fit")
    page.until(lambda: page.js("""return [...document.querySelectorAll('.node')].every((one) => {
      const box = one.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; })"""), "all in sight")
    for number in range(200):
        platform.heartbeat(scene.agents[f"agent {number:03}"], active_tasks=1, current_task=f"task {number}")
    page.go("#/agents")
    field = page.field("Filter")
    field.clear()
    field.send_keys("task 199")
    page.until(lambda: len(page.all(".agent-row")) == 1, "the row with the newest task")


def test_5000_messages(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    for number in range(5000):
        scene.says("Ada", f"message {number}")
    page.go(f"#/agent/{agent.id}/chat")
    page.see("message 4999")
    seen = 5000
    up = "const log = document.querySelector('.log'); log.scrollTop = 0; log.dispatchEvent(new Event('scroll'))"
    deadline = time.monotonic() + 120
    while seen > 0:
        page.js(up)
        seen = min(seen, page.js("return +document.querySelector('.message').innerText.split(/\\s/)[1]"))
        assert len(page.all(".message")) <= 130
        assert time.monotonic() < deadline, f"only back to message {seen}"
    page.click("To the newest")
    page.see("message 4999")


def test_two_browsers_at_once(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    with Browser() as other:
        other.open(platform.url + "/")
        other.type("Admin token", platform.admin_token, enter=True)
        other.find(".rail")
        for one in (page, other):
            one.go(f"#/agent/{agent.id}/chat")
        page.type("Message to Ada", "from the first", enter=True)
        other.see("from the first")
        other.type("Message to Ada", "from the second", enter=True)
        page.see("from the second")
        request = scene.requests("Ada", "task", "Whoever comes first")
        for one in (page, other):
            one.go("#/inbox")
            one.see("Whoever comes first")
        page.click("Done", f'[data-request="{request}"]')
        other.see("Nothing waits for you")
        for one in (page, other):
            one.go(f"#/agent/{agent.id}/chat")
            one.see("from the first", "from the second")
            assert len(one.all(".message")) == 2
