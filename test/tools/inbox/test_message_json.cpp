#include <doctest/doctest.h>

#include <string>

#include "base/json/reader.hpp"
#include "tools/inbox/message_json.hpp"
#include "workspace/support.hpp"

using namespace molecule;

TEST_CASE("a message as JSON: unknown fields are left out, text is unchanged") {
  workspace::Message message = test::message(1, "für \"dich\"\n");
  json::Document plain;
  REQUIRE(plain.parse(tools::to_json(message)).ok());
  CHECK(plain.root()["activity_id"].string() == test::activity_id(1));
  CHECK(plain.root()["text"].string() == message.text);
  CHECK(plain.root()["peer_id"].string() == "");
  for (const char* key : {"peer_name", "peer_role", "task_id", "with_another_session",
                          "arrival_workspace_id", "attachments"}) {
    CAPTURE(key);
    CHECK_FALSE(plain.root()[key].present());
  }
  message.peer_name = "Анна";
  message.with_another_session = true;
  message.attachments.push_back({.uri = "file:///a", .name = "a", .mime_type = {}, .size = 3});
  CHECK(tools::to_json(message).find(R"("peer_name":"Анна")") != std::string::npos);
  json::Document full;
  REQUIRE(full.parse(tools::to_json(message)).ok());
  CHECK(full.root()["with_another_session"].boolean().value_or(false));
  const json::Value file = full.root()["attachments"].items().at(0);
  CHECK(file["uri"].string() == "file:///a");
  CHECK(file["size"].integer() == 3);
  CHECK_FALSE(file["mimeType"].present());
}
