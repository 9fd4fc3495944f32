"""One set of texts and questions, which every engine of the store answers alike."""

import urllib.parse

import pytest

from support.platform import Platform

TEXTS = {
    "orders": "We are processing the customer's orders from Zürich and Malmö",
    "cafe": "Meet at the CAFÉ, naïve résumé included",
    "address": "Write to peter.pan@example.org about /srv/data/report-2024.txt",
    "japanese": "東京都の天気は晴れです。資料はdocsフォルダにあります",
    "chinese": "数据库的备份每天晚上运行",
    "korean": "데이터베이스를 매일 백업합니다",
    "thai": "ฐานข้อมูลสำรองทุกคืน",
    "russian": "Резервная копия базы данных создаётся ночью",
    "code": "The function read_config() returns NULL; see issue #4711 & \"notes\"",
    "percent": "growth of 100% is under_scored",
}

QUESTIONS = {
    # Words by their stem and their beginning, in any case, all of them.
    "process": {"orders"}, "Processed": {"orders"}, "order customers": {"orders"},
    "custom": {"orders"}, "order cafe": set(), "backup": set(),
    # Without accents, on either side.
    "zurich": {"orders"}, "Zürich": {"orders"}, "MALMO": {"orders"}, "malm": {"orders"},
    "café": {"cafe"}, "cafe": {"cafe"}, "resume": {"cafe"}, "Naïve": {"cafe"},
    # Punctuation parts words.
    "peter": {"address"}, "pan@example": {"address"}, "report": {"address"}, "2024": {"address"},
    "peter.pan@example.org": {"address"}, "srv/data": {"address"},
    # Scripts without spaces: any piece.
    "東京": {"japanese"}, "天気は": {"japanese"}, "の": {"japanese"}, "晴れです": {"japanese"},
    "数据库": {"chinese"}, "备份": {"chinese"}, "晚上运行": {"chinese"}, "备份 数据": {"chinese"},
    "데이터": {"korean"}, "백업": {"korean"}, "ข้อมูล": {"thai"}, "สำรอง": {"thai"},
    "東京 documents": set(), "東京 晴れ": {"japanese"},
    # Other alphabets.
    "базы": {"russian"}, "РЕЗЕРВНАЯ": {"russian"}, "резерв": {"russian"},
    # Nothing that a user types is syntax.
    "4711": {"code"}, "notes\"": {"code"}, "config": {"code"}, "read_config()": {"code"},
    "100%": {"percent"}, "scored": {"percent"}, "order & customer": {"orders"},
    "order:*": {"orders"}, "order | cafe": set(), "!order": {"orders"}, "order <-> x1": set(),
    "\"order": {"orders"}, "order'": {"orders"}, "\\order": {"orders"}, "order* -cafe": set(),
    "NEAR(order)": set(), "(((": set(), "''": set(), "the of and": set(),
    # One character is looked for as it is, a word's beginning without its accent.
    "%": {"percent"}, "_": {"code", "percent"}, "'": {"orders"}, "é": {"address"},
}


@pytest.fixture(scope="module")
def library(build):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        for name, text in TEXTS.items():
            made = platform.request("POST", f"/workspaces/{agent.id}/memories", agent.token,
                                    json={"content": text, "scope": "LOCAL", "namespace": name})
            assert made.status == 201, made
        yield platform, agent


def test_each_question_finds_the_same(library):
    platform, agent = library
    wrong = {}
    for question, expected in QUESTIONS.items():
        reply = platform.request(
            "GET", f"/workspaces/{agent.id}/memories?q={urllib.parse.quote(question)}", agent.token)
        assert reply.status == 200, (question, reply)
        found = {memory["namespace"] for memory in reply.body}
        if found != expected:
            wrong[question] = (found, expected)
    assert not wrong, wrong


def test_search_finds_the_first_of_many_messages(build):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        assert platform.send(agent, "the first treasure").status == 200
        platform.change_database(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)"
            " INSERT INTO activity(id, workspace_id, activity_type, summary, created_at)"
            f" SELECT 'later-' || i, '{agent.id}', 'a2a_receive', 'nothing much', 1 FROM n")

        def found(path, token, **parameters):
            query = urllib.parse.urlencode(parameters)
            return [one["content"] or one["label"] for one in
                    platform.request("GET", f"{path}?{query}", token).body]

        assert found("/search", platform.admin_token, q="treasure") == ["the first treasure"]
        assert found("/search", platform.admin_token, q="nothing", limit=200) == ["nothing much"] * 200
        # Of its own, an agent gets the newest.
        own = f"/workspaces/{agent.id}/session-search"
        assert found(own, agent.token, q="treasure") == []
        assert found(own, agent.token, q="nothing") == ["nothing much"] * 50
