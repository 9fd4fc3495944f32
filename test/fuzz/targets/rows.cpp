#include "workspace/sync/rows.hpp"

#include <string>

#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "fuzz/targets.hpp"
#include "tools/inbox/message_json.hpp"

namespace molecule::fuzz {

namespace {

constexpr std::string_view self = "0b6f6f0e-9d52-4f3c-8f5e-1d1f7a1a0001";

void check_safe(const std::string& shown) {
  require(text::valid_utf8(shown), "what is shown is UTF-8");
  require(text::sanitize(shown) == shown, "what is shown is sanitised");
}

}  // namespace

void rows(std::string_view input) {
  json::Document document;
  const auto parsed = document.parse(input);
  if (!parsed.ok()) return;
  const workspace::Row row = workspace::read_row(*parsed, self);
  require(row.id.empty() || is_uuid(row.id), "an id is a UUID");
  if (!row.message) return;
  const workspace::Message& message = *row.message;
  require(!row.id.empty() && message.activity_id == row.id, "a message has the row's id");
  require(!message.text.empty(), "a message says something");
  require(message.peer_id.empty() || is_uuid(message.peer_id), "a peer's id is a UUID");
  require(message.peer_id != self, "nobody is their own peer");
  for (const std::string& shown : {message.text, message.method, message.peer_name,
                                   message.peer_role, message.kind, message.created_at}) {
    check_safe(shown);
  }
  json::Document written;
  require(written.parse(tools::to_json(message)).ok(), "a message is written as JSON");
  require(written.root()["text"].string_or({}) == message.text, "its text is read back");
}

}  // namespace molecule::fuzz
