#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/runners/runner.hpp"

using namespace molecule;
using namespace molecule::daemon;
using Outcome = TurnResult::Outcome;

namespace {

struct Finished {
  TurnResult result;
  std::string progress;
};

/// The output in pieces of that size.
Finished run(Kind kind, std::string_view output, std::size_t piece, ChildEnd end = {},
             const Turn& turn = {}) {
  const std::unique_ptr<Runner> runner = make_runner(kind);
  for (std::size_t at = 0; at < output.size(); at += piece) {
    CHECK(runner->take(output.substr(at, piece)));
  }
  TurnResult result = runner->finish(turn, end);
  return {std::move(result), runner->progress()};
}

}  // namespace

TEST_CASE("runners: the answer is found however the output is cut") {
  const std::vector<std::pair<Kind, std::string>> outputs{
      {Kind::command, " the answer \n"},
      {Kind::claude,
       "{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"name\":\"Bash\"}"
       "]}}\n"
       "{\"type\":\"result\",\"is_error\":false,\"result\":\"the answer\",\"session_id\":\"s\"}"},
      {Kind::claude, "{\n \"type\": \"result\",\n \"result\": \"the answer\"\n}\n"},
      {Kind::codex,
       "no "
       "JSON\n{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"x\"}}\n"
       "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"the "
       "answer\"}}\n"},
      {Kind::gemini, "Loaded cached credentials.\n{\"response\":\"the answer\"}"},
      {Kind::opencode,
       "{\"type\":\"text\",\"sessionID\":\"s\",\"part\":{\"text\":\"the \"}}\n"
       "{\"type\":\"text\",\"sessionID\":\"s\",\"part\":{\"text\":\"answer\"}}\n"}};
  for (const auto& [kind, output] : outputs) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, output.size()}) {
      const Finished finished = run(kind, output, piece);
      CHECK_MESSAGE(finished.result.outcome == Outcome::answered, output);
      CHECK(finished.result.text == "the answer");
    }
  }
  CHECK(run(Kind::claude, outputs[1].second, 5).progress == "uses Bash");
}

TEST_CASE("runners: what looks like a secret in a program's errors is hidden") {
  ChildEnd end;
  end.code = 1;
  end.errors = "refused: sk-abcdefghijklmnopqrstuvwxyz0123456789";
  const TurnResult result = run(Kind::command, "", 1, end).result;
  CHECK(result.outcome == Outcome::failed);
  CHECK(result.reason.find("abcdefghij") == std::string::npos);
}

TEST_CASE("runners: only a session that is gone begins a new one") {
  for (const char* said :
       {"No conversation found with session ID: 4b3e", "Error: no rollout found for thread id 7",
        "Session not found", "error: thread 12 not found"}) {
    CAPTURE(said);
    CHECK(says_unknown_session(said));
  }
  for (const char* said : {"model gpt-9 not found", "sh: 1: claude: not found",
                           "API Error: 404 not_found_error", "the session has expired", ""}) {
    CAPTURE(said);
    CHECK_FALSE(says_unknown_session(said));
  }
}

TEST_CASE("runners: opencode's log says why its model does not answer") {
  const std::unique_ptr<Runner> runner = make_runner(Kind::opencode);
  const std::string log =
      "timestamp=1 level=ERROR message=\"stream error\" error.error=\"APIError: it answers 500\"\n";
  runner->hear_errors(log.substr(0, 70));
  CHECK(runner->progress().empty());
  runner->hear_errors(log.substr(70));
  CHECK(runner->progress() == "its model fails: APIError: it answers 500");
  Turn turn;
  turn.session = "s";
  ChildEnd end;
  end.how = ChildEnd::How::deadline;
  end.errors = log;
  CHECK(runner->finish(turn, end).reason ==
        "the handler did not end within 900 s: APIError: it answers 500");
  // A tool that did not find a file is no lost session, and an answer is one in spite of its log.
  end = {.how = ChildEnd::How::exited, .code = 1};
  end.errors = "timestamp=1 level=ERROR error.error=\"file not found\"\n";
  CHECK(run(Kind::opencode, "", 1, end, turn).result.outcome == Outcome::failed);
  end.errors += "Error: Session not found\n";
  CHECK(run(Kind::opencode, "", 1, end, turn).result.outcome == Outcome::unknown_session);
  CHECK(runner->take("{\"type\":\"text\",\"part\":{\"text\":\"yes\"}}\n"));
  CHECK(runner->finish(turn, {}).outcome == Outcome::answered);
}

TEST_CASE("runners: an answer has a limit") {
  const std::unique_ptr<Runner> runner = make_runner(Kind::command);
  CHECK(runner->take(std::string(max_answer_bytes, 'x')));
  CHECK(!runner->take("x"));
  const std::unique_ptr<Runner> lines = make_runner(Kind::codex);
  bool taken = true;
  for (int i = 0; i < 9 && taken; ++i) taken = lines->take(std::string(std::size_t{1} << 20, 'x'));
  CHECK(!taken);
}
