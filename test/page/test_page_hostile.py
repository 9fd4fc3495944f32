"""Everything that others write is data: it shows as text, runs nothing, loads nothing, breaks nothing."""

import urllib.parse

from scene import Scene
from support.deadline import DEADLINE

ATTACKS = [
    "<script>window.owned = 1</script>",
    "<img src=x onerror='window.owned = 2'>",
    "<svg/onload=window.owned=3><animate onbegin=window.owned=4></svg>",
    "<iframe src='javascript:parent.owned=5'></iframe><object data=x></object><embed src=x>",
    "[link](javascript:window.owned=6) and [other](data:text/html,<script>owned=7</script>)",
    "<a href='javascript:window.owned=8' id=main name=main>press</a>",
    "<form action=/logout method=post><input name=token><button>go</button></form>",
    "<style>body { display: none }</style><link rel=stylesheet href=//127.0.0.1:9/x.css>",
    "![picture](http://127.0.0.1:9/tracker.png)",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=owned=9&gt;'>",
    "<div style='position:fixed;inset:0;background:red'>cover</div>",
    "<base href=http://127.0.0.1:9/><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<dialog open>trap</dialog><button popovertarget=x>x</button>",
    "> " * 300 + "deep", "*" * 3000, "[" * 3000, "<b>" * 3000 + "deep",
    "\u202egnp.exe \u200b\u2066 عربي ‎\U000e0041", "`" * 500, "|a|\n|-|\n" + "|x|\n" * 500,
]
FORBIDDEN = "script,iframe,object,embed,form,input,button,style,link,meta,base,img,svg,math,dialog"


def look_everywhere(page, scene, name):
    agent = scene.agents[name].id
    for place in ("#/agents", "#/map", "#/talk", "#/activity", "#/inbox",
                  *(f"#/agent/{agent}/{tab}" for tab in ("chat", "talk", "details", "connect", "tokens", "activity"))):
        page.go(place)
        page.find("#main > *")


def assert_unharmed(page, platform):
    assert page.js("return window.owned") is None
    assert page.js("return getComputedStyle(document.body).display") != "none"
    assert page.complaints() == []
    own = urllib.parse.urlsplit(platform.url).netloc
    asked = [url for url in page.requests() if not url.startswith(("data:", "blob:", "about:", "chrome"))]
    assert {urllib.parse.urlsplit(url).netloc for url in asked} <= {own}, asked


def test_messages_are_text(page, platform):
    scene = Scene(platform)
    scene.agent("Eve")
    scene.agent("Ada")
    for attack in ATTACKS:
        scene.says("Eve", attack)
        scene.asks("Eve", "Ada", attack)
        scene.remembers("Eve", attack[:2000])
    scene.requests("Eve", "approval", ATTACKS[1], detail="\n\n".join(ATTACKS[:13]))
    scene.requests("Eve", "approval", "Bash", source="permission", tool_name=ATTACKS[1],
                   description=ATTACKS[0], input_preview=ATTACKS[1], session=ATTACKS[1][:60])
    look_everywhere(page, scene, "Eve")
    page.go(f"#/agent/{scene.agents['Eve'].id}/chat")
    page.until(lambda: len(page.all(".message")) == len(ATTACKS), "all messages")
    assert page.all(f".message .markdown :is({FORBIDDEN})") == []
    hrefs = page.js("return [...document.querySelectorAll('.markdown a')].map((one) => one.protocol)")
    assert set(hrefs) <= {"http:", "https:", "mailto:", ":"}, hrefs
    for link in page.all(".message .markdown a"):
        if not link.get_attribute("href") or not link.get_attribute("href").startswith(("http", "mailto")):
            link.click()
    assert len(page.driver.window_handles) == 1
    assert_unharmed(page, platform)


def test_names_cards_and_files_are_text(page, platform):
    scene = Scene(platform)
    name = "Ada\u202e\u200b\u2067 <img src=x onerror=owned=1>".replace(">", "")
    scene.agent(name, role="\u202eelor <script")
    element = {"nodeName": "img", "attributes": {"src": "x", "onerror": "owned=2"}, "children": []}
    reply = platform.register(scene.agents[name], agent_card={
        "name": element, "version": element, "description": element,
        "skills": [{"name": element}, {"name": ATTACKS[1]}, element, "text", None, {"id": ATTACKS[0]},
                   *({"name": "x" * 300} for _ in range(200))]})
    assert reply.status == 200
    platform.heartbeat(scene.agents[name], current_task=ATTACKS[1], active_tasks=10**9,
                       error_rate=0.9, sample_error=ATTACKS[0])
    scene.says(name, "files", attachments=[
        {"uri": "javascript:owned=3", "name": "a.html\u202egpj.", "mimeType": "text/html", "size": 10},
        {"uri": "http://127.0.0.1:9/x.png", "name": "x.png", "mimeType": "image/png", "size": 10},
        {"uri": "workspace:/workspace/../../etc/passwd", "name": "../../etc/passwd", "mimeType": "image/svg+xml"}])
    look_everywhere(page, scene, name)
    page.go(f"#/agent/{scene.agents[name].id}/chat")
    page.see("x.png")
    shown = page.js("return document.body.innerText")
    assert not set("\u202e\u200b\u2067") & set(shown.partition("files")[0])
    assert page.all("#main img[onerror], #main script") == []
    assert_unharmed(page, platform)


def test_what_is_decided_on_hides_nothing(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Eve\U000e0041\u3164\u034f", role="r\u2067")
    name = next(iter(scene.agents))
    prompt = scene.requests(name, "approval", "Bash\u202e\u200b", source="permission", tool_name="Ba\u2066sh",
                            description="lists\u202e files\x08", input_preview="ls \u202e#\u2066 rm -rf /\u200b\U000e0041",
                            session="lap\u200btop")
    task = scene.requests(name, "task", "Look", detail="at \u202ethis\u2069")
    assert platform.admin("PATCH", f"/workspaces/{agent.id}", {"role": "r\u2067"}).status == 200
    page.go("#/inbox")
    page.find(f'[data-request="{task}"]')
    shown = page.js("return document.querySelector(arguments[0]).innerText", f'[data-request="{prompt}"]')
    assert "ls [U+202E]#[U+2066] rm -rf /[U+200B][U+E0041]" in shown
    assert "lists[U+202E] files[U+0008]" in shown and "Ba sh" in shown and "lap top" in shown
    for place in ("#/inbox", "#/agents", "#/map", "#/talk", f"#/agent/{agent.id}/chat", f"#/agent/{agent.id}/details"):
        page.go(place)
        page.find("#main > *")
        hidden = page.js(r"return document.body.innerText.match(/[\u200b\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}\u3164\u034f]/gu)")
        assert hidden is None, (place, hidden)
    # Nothing that can be pressed is out of sight: what has no name, no size or no colour of its own.
    page.go("#/inbox")
    page.find(f'[data-request="{task}"]')
    assert page.js("""return [...document.querySelectorAll('#main :is(button, a, input)')].filter((one) => {
      const style = getComputedStyle(one), box = one.getBoundingClientRect();
      const name = one.getAttribute('aria-label') || one.innerText || [...one.labels || []].map((l) => l.innerText).join('');
      return one.getClientRects().length && (!name.trim() || box.width < 8 || box.height < 8 || +style.opacity < 0.1);
    }).map((one) => one.outerHTML.slice(0, 200))""") == []
    assert_unharmed(page, platform)


def test_a_huge_message_does_not_stop_the_page(page, platform):
    scene = Scene(platform)
    scene.agent("Eve")
    scene.says("Eve", "**bold** " * 110_000)
    page.go(f"#/agent/{scene.agents['Eve'].id}/chat")
    page.see("Show all of it")
    took = page.js("const start = performance.now(); document.body.offsetHeight; return performance.now() - start")
    assert took < 500
    page.type("Message to Eve", "still here", enter=True)
    page.until(lambda: page.all(".message.user.sent"), "the message goes", DEADLINE)


def test_the_policy_allows_nothing_inline(platform):
    reply = platform.request("GET", "/")
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "<script>" not in reply.body and " style=" not in reply.body and " onload" not in reply.body
