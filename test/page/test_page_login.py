"""page.md 1: how a person gets in, and what becomes of the secret."""

import re
import subprocess

from support.platform import until

STORED = "return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"


def login_link(platform):
    match = until(lambda: re.search(r"log in: (\S+)", platform.stderr()), what="the login link on stderr")
    return match[1]


def test_the_printed_link_logs_in_once(browser, platform):
    link = login_link(platform)
    browser.open(link)
    browser.see("No agents yet")
    assert browser.js("return location.pathname + location.search") == "/"
    code = link.partition("code=")[2]
    assert code not in browser.js(STORED)
    # The back button leads nowhere near it.
    assert browser.js("return performance.getEntriesByType('navigation')[0].name").find(code) < 0
    browser.driver.delete_all_cookies()
    browser.open(link)
    browser.see("used up or expired", "Log in to Molecule")
    made = subprocess.run([platform.binary, "login-link", "--data", str(platform.data_dir)],
                          capture_output=True, text=True, timeout=30)
    assert made.returncode == 0, made
    browser.open(made.stdout.strip())
    browser.see("No agents yet")


def test_the_token_logs_in_and_is_kept_nowhere(browser, platform):
    browser.open(platform.url + "/")
    browser.see("Log in to Molecule", str(platform.data_dir / "admin_token"), "login-link")
    browser.type("Admin token", "not-the-token", enter=True)
    browser.see("That is not the admin token")
    browser.field("Admin token").clear()
    browser.type("Admin token", platform.admin_token, enter=True)
    browser.see("No agents yet")
    assert platform.admin_token not in browser.js(STORED)
    assert platform.admin_token not in browser.js("return document.documentElement.outerHTML")
    browser.open(platform.url + "/")
    browser.see("No agents yet")


def test_an_ended_session_shows_by_itself_and_keeps_drafts(page, platform):
    agent = platform.create_workspace("Ada")
    platform.register(agent)
    page.go(f"#/agent/{agent.id}/chat")
    page.type("Message to Ada", "half a thought")
    assert platform.admin("DELETE", "/sessions").status == 200
    # Nobody touched the page.
    page.see("You were logged out", "Log in to Molecule")
    page.type("Admin token", platform.admin_token, enter=True)
    page.until(lambda: page.field("Message to Ada").get_attribute("value") == "half a thought", "the draft")
    page.find(".live.live")


def test_what_is_sent_without_a_session_is_sent_after_the_next_login(page, platform):
    agent = platform.create_workspace("Ada")
    platform.register(agent)
    page.go(f"#/agent/{agent.id}/chat")
    page.type("Message to Ada", "half a thought")
    # What the page asks by itself must not be what finds out.
    page.until(lambda: page.js("""return performance.getEntriesByType('resource')
      .filter((one) => one.name.endsWith('/workspaces')).length""") >= 2, "the look after the start")
    page.driver.delete_all_cookies()
    page.field("Message to Ada").send_keys("\n")
    page.see("You were logged out", "Log in to Molecule")
    page.type("Admin token", platform.admin_token, enter=True)
    page.see("half a thought")
    page.click("Send again")
    page.until(lambda: any("half a thought" in str(row) for row in platform.activity(agent).body), "it arrives")


def test_logging_out_ends_the_session(page, platform):
    page.go("#/settings")
    page.see("this browser", str(platform.data_dir))
    page.click("Log out")
    page.see("Log in to Molecule")
    page.open(platform.url + "/")
    page.see("Log in to Molecule")


def test_two_tabs_are_one_session(page, platform):
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.open(platform.url + "/#/settings")
        page.see("this browser", "live")
        page.find("input[value=dark]").click()
        page.driver.switch_to.window(first)
        page.until(lambda: page.js("return document.documentElement.dataset.theme") == "dark", "the other tab's theme")
        page.go("#/settings")
        page.click("Log out")
        page.see("Log in to Molecule")
        page.driver.switch_to.window(page.driver.window_handles[-1])
        page.see("You were logged out")
    finally:
        page.driver.switch_to.window(page.driver.window_handles[-1])
        page.driver.close()
        page.driver.switch_to.window(first)


def test_a_login_elsewhere_appears_in_the_list(page, platform):
    page.go("#/settings")
    page.see("this browser")
    with_token = platform.request("POST", "/login", json={"token": platform.admin_token},
                                  headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Firefox/150.0"})
    platform.secrets.add(with_token.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
    page.see("Firefox 150 on Linux")
    page.click("Log out Firefox 150")
    page.click("Log out")
    page.gone("Firefox 150 on Linux")


def test_the_page_waits_for_a_platform_that_is_away(page, platform):
    page.open("about:blank")
    # The page itself has come, and then the platform goes: its calls fail.
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/session"]})
    page.open(platform.url + "/")
    page.see("The platform does not answer")
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.see("No agents yet")
