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


def test_an_ended_session_brings_the_login_back_and_keeps_drafts(page, platform):
    agent = platform.create_workspace("Ada")
    platform.register(agent)
    page.go(f"#/agent/{agent.id}/chat")
    page.type("Message to Ada", "half a thought")
    assert platform.admin("DELETE", "/sessions").status == 200
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
