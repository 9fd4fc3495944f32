"""Phone width, both themes, the keyboard alone, and what a checker of accessibility finds."""

import pathlib

import pytest
from scene import many, workshop
from selenium.webdriver.common.keys import Keys

AXE = pathlib.Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
PLACES = ("agents", "map", "inbox", "talk", "activity", "settings")
TABS = ("chat", "talk", "details", "connect", "tokens", "activity")
# Each view once drawn.
DRAWN = {"map": ".canvas", "inbox": ".request", "talk": ".said", "activity": ".event", "settings": ".facts dd",
         "agents": ".agent-row", "chat": ".message", "details": ".memories li", "connect": ".snippet",
         "tokens": ".tokens-list li"}


def views(scene):
    agent = scene.agents["Ada"].id
    return [(place, f"#/{place}") for place in PLACES] + [(tab, f"#/agent/{agent}/{tab}") for tab in TABS]


@pytest.fixture
def scene(page, platform):
    return workshop(platform)


def axe(page):
    page.js(AXE.read_text() + "; window.axe = axe")
    found = page.driver.execute_async_script("""
      const done = arguments[arguments.length - 1];
      axe.run(document, {resultTypes: ['violations']}).then((result) => done(result.violations.map((one) =>
        one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 200) + ' ' +
          (node.any[0] ? node.any[0].message : '')).join(' | '))))""")
    return found


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in test/page)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(page, scene, dark):
    page.theme(dark)
    for view, place in views(scene):
        page.go(place)
        page.find(DRAWN[view])
        assert axe(page) == [], view
    for keys, closed in (((Keys.CONTROL, "k"), "Search"), (("?",), "Keys"), (("n",), "New agent")):
        page.js("document.activeElement.blur()")
        page.chord(*keys)
        page.find("dialog[open]")
        assert axe(page) == [], closed
        page.press(Keys.ESCAPE)
        page.until(lambda: not page.all("dialog[open]"), f"{closed} closes")


def test_every_view_fits_a_phone(page, scene):
    page.resize(360, 740)
    for view, place in views(scene):
        page.go(place)
        page.find(DRAWN[view])
        wide = page.js("""return [...document.querySelectorAll('main *')].filter((one) => {
          const box = one.getBoundingClientRect();
          if (!box.width || box.right <= innerWidth + 1) return false;
          for (let at = one; at; at = at.parentElement) {
            if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX) && at.id !== 'main') return false;
          }
          return !one.closest('svg, .hidden');
        }).map((one) => one.outerHTML.slice(0, 120))""")
        assert wide == [], view
        # The page itself never scrolls; its parts do.
        assert page.js("return document.documentElement.scrollWidth") <= 360, view
        assert page.js("return document.documentElement.scrollHeight") <= 740, view
        assert "Live" in page.find(".live").text, view
        small = page.js("""return [...document.querySelectorAll('body *')].filter((one) =>
          [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
          !one.closest('svg, title') && parseFloat(getComputedStyle(one).fontSize) < 12)
          .map((one) => one.outerHTML.slice(0, 120))""")
        assert small == [], view
        cut = page.js("""return [...document.querySelectorAll('[role=tab][aria-selected=true]')].filter((one) => {
          const box = one.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth; }).map((one) => one.innerText)""")
        assert cut == [], view
        # The mark of a place must not run into the next.
        places = page.js("return [...document.querySelectorAll('.rail-item > span')].map((one) => one.scrollWidth <= one.clientWidth)")
        assert all(places), view


def test_the_keyboard_is_enough(page, scene):
    page.find(".agent-row")
    page.js("document.activeElement.blur()")
    page.press("?")
    page.see("search and go anywhere")
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog[open]"), "it closes")
    page.press("g", "i")
    page.see("Restart db-2")
    page.chord(Keys.CONTROL, "k")
    page.type("Search", "Cleo")
    page.until(lambda: "Cleo" in page.all("#hits [aria-selected=true]")[0].text, "the agent is found")
    page.press(Keys.ENTER)
    page.find(".chat .log")
    page.see("Cleo")
    # In a field a letter is a letter.
    page.type("Message to Cleo", "n?gi")
    assert page.all("dialog[open]") == []
    page.js("document.activeElement.blur()")
    page.press("/")
    page.until(lambda: page.js("return document.activeElement.id") == "agent-filter", "the filter has the focus")
    page.press("n", "o", "p", "e")
    page.see("No agent matches")
    for _ in range(4):
        page.press(Keys.BACKSPACE)
    # A dialog keeps the focus and gives it back.
    opener = page.named("New agent")
    opener.send_keys(Keys.ENTER)
    page.find("dialog[open]")
    for _ in range(12):
        page.press(Keys.TAB)
        # The browser's own controls may have their turn, the page behind never.
        assert page.js("const at = document.activeElement; return at === document.body || !!at.closest('dialog')")
    page.press(Keys.ESCAPE)
    page.until(lambda: page.js("return document.activeElement === arguments[0]", opener), "the focus is back")
    page.go("#/settings")
    page.field("Keyboard shortcuts").send_keys(" ")
    page.js("document.activeElement.blur()")
    page.press("n")
    assert page.all("dialog[open]") == []


def test_the_list_is_there_at_once(page, scene, platform):
    page.open("about:blank")
    page.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    page.open(platform.url + "/")
    page.find(".agent-row")
    # The browser's own clock: when the first row was painted or the list's answer was in.
    shown = page.js("""return performance.getEntriesByType('resource')
      .filter((one) => one.name.endsWith('/workspaces'))[0].responseEnd""")
    assert shown < 1500, shown
    sizes = page.js("""return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
      .filter((one) => /\\/page\\/(app|icon)|\\/$/.test(one.name)).map((one) => one.encodedBodySize)""")
    assert 0 < sum(sizes) <= 100_000, sizes


def test_a_long_list_begins_with_a_screen_of_it(page, platform):
    many(platform, 60)
    restore = page.before_pages("""
      window.counts = [];
      new MutationObserver(() => {
        const count = document.querySelectorAll('.agent-row').length;
        if (count && count !== window.counts.at(-1)) window.counts.push(count);
      }).observe(document, {subtree: true, childList: true})""")
    try:
        page.open("about:blank")
        page.open(platform.url + "/")
        page.until(lambda: len(page.all(".agent-row")) == 60, "all rows")
        assert page.js("return window.counts") == [30, 60]
    finally:
        restore()
