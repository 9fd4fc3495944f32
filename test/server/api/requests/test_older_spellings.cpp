// page.md 3.7: user tasks and approvals are the same rows.

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "server/platform.hpp"

using namespace molecule;
using test::Answer;
using test::Member;
using test::path_of;
using test::Platform;

TEST_CASE("user tasks") {
  Platform platform;
  const Member agent = platform.add("agent");
  const Answer made = platform.post(path_of(agent, "/user-tasks"), agent.token,
                                    R"({"title":"Sign","detail":"here"})");
  CHECK(made.status == 201);
  const std::string id(made["user_task_id"].string_or(""));
  CHECK(platform.get("/requests/pending?kind=task", platform.admin).items().size() == 1);
  CHECK(platform.get("/user-tasks/pending", platform.admin).items()[0]["workspace_name"].string() ==
        "agent");
  const std::string task = path_of(agent, "/user-tasks/" + id);
  CHECK(platform.ask("PATCH", task, agent.token, R"({"title":"Sign twice"})").status == 200);
  const auto first = [&] {
    const Answer list = platform.get(path_of(agent, "/user-tasks"), agent.token);
    return std::string(list.items()[0]["title"].string_or("")) + " " +
           std::string(list.items()[0]["detail"].string_or("")) + " " +
           std::string(list.items()[0]["status"].string_or(""));
  };
  CHECK(first() == "Sign twice here pending");
  // Its own token reaches this upstream.
  CHECK(platform.post(task + "/resolve", agent.token, R"({"status":"done"})").status == 403);
  CHECK(platform.post(task + "/resolve", platform.admin, R"({"status":"x"})").status == 400);
  CHECK(platform.post(task + "/resolve", platform.admin, R"({"status":"dismissed"})").status ==
        200);
  CHECK(first() == "Sign twice here dismissed");
  CHECK(platform.post(task + "/resolve", platform.admin, R"({"status":"done"})").status == 404);
  CHECK(platform.ask("DELETE", task, agent.token).status == 404);
  CHECK(platform.count("SELECT count(*) FROM events WHERE event_type IN"
                       " ('USER_TASK_REQUESTED', 'USER_TASK_RESOLVED')") == 2);
}

TEST_CASE("approvals are decided by the person only") {
  Platform platform;
  const Member agent = platform.add("agent");
  const Member other = platform.add("other");
  const auto create = [&] {
    const Answer made = platform.post(path_of(agent, "/approvals"), agent.token,
                                      R"({"action":"Deploy","reason":"green","context":{}})");
    CHECK(made.status == 201);
    return path_of(agent, "/approvals/") + std::string(made["approval_id"].string_or(""));
  };
  const std::string one = create();
  const std::string yes = R"({"decision":"approved"})";
  CHECK(platform.post(one + "/decide", agent.token, yes).status == 403);
  CHECK(platform.post(one + "/decide", other.token, yes).status == 401);
  CHECK(platform.get("/approvals/pending", platform.admin).items()[0]["action"].string() ==
        "Deploy");
  CHECK(platform.post(one + "/decide", platform.admin, yes).status == 200);
  CHECK(platform.post(one + "/withdraw", agent.token, "").status == 409);
  const std::string two = create();
  const std::string foreign = path_of(other, two.substr(two.find("/approvals")));
  CHECK(platform.post(foreign + "/withdraw", other.token, "").status == 403);
  CHECK(platform.post(two + "/withdraw", agent.token, "").status == 200);
  CHECK(platform.post(two + "/decide", platform.admin, yes).status == 404);
  const Answer list = platform.get(path_of(agent, "/approvals"), agent.token);
  CHECK(list.items()[0]["status"].string() == "withdrawn");
  CHECK(list.items()[1]["status"].string() == "approved");
  CHECK(platform.count("SELECT count(*) FROM events WHERE event_type LIKE 'APPROVAL_%'") == 4);
}

TEST_CASE("nothing that waits is hidden by what came after it") {
  Platform platform;
  const Member agent = platform.add("agent");
  const Answer first =
      platform.post(path_of(agent, "/user-tasks"), agent.token, R"({"title":"the first"})");
  const std::string id(first["user_task_id"].string_or(""));
  for (int i = 0; i < 60; ++i) {
    const Answer task =
        platform.post(path_of(agent, "/user-tasks"), agent.token, R"({"title":"another"})");
    const std::string other(task["user_task_id"].string_or(""));
    CHECK(platform.ask("DELETE", path_of(agent, "/user-tasks/" + other), agent.token).status ==
          200);
  }
  const Answer own = platform.get(path_of(agent, "/user-tasks"), agent.token);
  CHECK(own.items().size() == 51);
  CHECK(own.items().back()["id"].string() == id);

  for (int i = 0; i < 199; ++i) {
    platform.post(path_of(agent, "/user-tasks"), agent.token, R"({"title":"more"})");
  }
  const Member eager = platform.add("eager");
  for (int i = 0; i < 60; ++i) {
    platform.post(path_of(eager, "/user-tasks"), eager.token, R"({"title":"mine"})");
  }
  const auto page = [&](const std::string& path, std::map<std::string, std::string> query) {
    server::Request request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    request.headers = {{"Authorization", "Bearer the-admin-token"}};
    const server::Reply reply = platform.handle(std::move(request));
    json::Document document;
    CHECK(document.parse(reply.body));
    std::string total;
    for (const auto& [name, value] : reply.headers) {
      if (name == "X-Total-Count") total = value;
    }
    CHECK(total == "260");
    std::set<std::string> ids;
    for (const json::Value row : document.root().items()) {
      ids.emplace(row["id"].string_or(""));
    }
    return ids;
  };
  for (const char* path : {"/user-tasks/pending", "/requests/pending"}) {
    std::set<std::string> all = page(path, {});
    CHECK(all.size() == 200);
    CHECK(!all.contains(id));
    all.merge(page(path, {{"offset", "200"}}));
    CHECK(all.size() == 260);
    CHECK(all.contains(id));
    CHECK(page(path, {{"limit", "7"}, {"offset", "3"}}).size() == 7);
  }
}
