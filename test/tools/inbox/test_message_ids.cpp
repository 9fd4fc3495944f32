#include <doctest/doctest.h>

#include <set>
#include <string>

#include "base/uuid.hpp"
#include "support/virtual_clock.hpp"
#include "tools/inbox/message_ids.hpp"
#include "workspace/config/timing.hpp"

using namespace molecule;
using tools::MessageIds;

namespace {

constexpr std::chrono::minutes window = workspace::Timing().same_message;

struct Sender {
  test::VirtualClock clock;
  MessageIds ids{clock, window};

  /// The id of one try. `taken`: the platform is known to have accepted the message.
  std::string send(const std::string& content, bool taken, const std::string& tool_use = {}) {
    MessageIds::Attempt attempt(ids, "receiver", content, tool_use);
    if (taken) attempt.taken();
    return attempt.id();
  }
};

}  // namespace

TEST_CASE("message ids: derived ids are equal only for equal texts") {
  CHECK(derived_uuid("a message", "an answer") == derived_uuid("a message", "an answer"));
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = derived_uuid("message " + std::to_string(i % 100), std::to_string(i));
    REQUIRE(is_uuid(id));
    CHECK(id[14] == '8');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 20'000);
}

TEST_CASE("message ids: the boundary between the texts counts") {
  CHECK(derived_uuid("ab", "c") != derived_uuid("a", "bc"));
  CHECK(derived_uuid("", "abc") != derived_uuid("abc", ""));
}

TEST_CASE_FIXTURE(Sender, "message ids: a message keeps its id until it is known to be accepted") {
  const std::string id = send("hello", false);
  CHECK(is_uuid(id));
  CHECK(send("other", false) != id);
  for (int i = 0; i < 3; ++i) CHECK(send("hello", false) == id);
  CHECK(send("hello", true) == id);
  CHECK(send("hello", true) != id);
  CHECK(MessageIds::Attempt(ids, "else", "other", "").id() != send("other", true));
}

TEST_CASE_FIXTURE(Sender, "message ids: each try extends the time, up to a limit") {
  const std::string id = send("hello", false);
  for (int i = 0; i < 3; ++i) {
    clock.advance(window - std::chrono::seconds(1));
    CHECK(send("hello", false) == id);
  }
  clock.advance(window);
  CHECK(send("hello", false) != id);
}

TEST_CASE_FIXTURE(Sender, "message ids: two concurrent tries have different ids") {
  const std::string id = send("hello", false);
  const MessageIds::Attempt first(ids, "receiver", "hello", "");
  CHECK(first.id() == id);
  CHECK(send("hello", true) != id);
}

TEST_CASE_FIXTURE(Sender, "message ids: the host's id of a call makes a lasting id") {
  test::VirtualClock another_clock;
  MessageIds another(another_clock, window);
  const std::string id = send("hello", true, "toolu_1");
  CHECK(MessageIds::Attempt(another, "receiver", "hello", "toolu_1").id() == id);
  CHECK(send("hello", true, "toolu_2") != id);
  CHECK(send("other", true, "toolu_1") != id);
  // A retry by the agent is a call with another id.
  const std::string lost = send("bye", false, "toolu_3");
  CHECK(send("bye", true, "toolu_4") == lost);
}
