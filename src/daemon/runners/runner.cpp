#include "daemon/runners/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json/writer.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"

namespace molecule::daemon {

namespace {

constexpr std::size_t max_said = 300;
/// One event may hold the output of a tool.
constexpr std::size_t max_line_bytes = std::size_t{8} << 20;

/// Without what looks like a secret: it goes to the log and to people.
std::string beginning(std::string_view said) {
  const std::string line = redact_secrets(text::one_line(text::repair_utf8(text::trim(said))));
  return std::string(text::prefix_characters(line, max_said));
}

}  // namespace

std::unique_ptr<Runner> make_runner(Kind kind) {
  switch (kind) {
    case Kind::command:
      return make_command();
    case Kind::claude:
      return make_claude();
    case Kind::codex:
      return make_codex();
    case Kind::gemini:
      return make_gemini();
    case Kind::opencode:
      return make_opencode();
    case Kind::none:
    case Kind::webhook:
      break;
  }
  return nullptr;
}

std::string describe(const ChildEnd& end, std::chrono::seconds deadline) {
  using How = ChildEnd::How;
  std::string what;
  switch (end.how) {
    case How::exited:
      what = fmt::format("the handler ended with code {}", end.code);
      break;
    case How::signalled:
      what = fmt::format("the handler was ended by signal {}", end.code);
      break;
    case How::not_started:
      return fmt::format("the handler could not be started: {}", beginning(end.problem));
    case How::deadline:
      what = fmt::format("the handler did not end within {} s", deadline.count());
      break;
    case How::flooded:
      what = "the handler wrote more than an answer may have";
      break;
    case How::stopped:
      return "the daemon ended";
  }
  const std::string said = beginning(end.errors);
  return said.empty() ? what : fmt::format("{}: {}", what, said);
}

std::vector<std::string> program_of(const HandlerSettings& settings, const char* usual) {
  return settings.argv.empty() ? std::vector<std::string>{usual} : settings.argv;
}

std::string mcp_servers_json(const Turn::Server& server, bool trust) {
  json::Writer writer;
  {
    auto out = writer.object();
    auto servers = out.object("mcpServers");
    auto own = servers.object("molecule");
    if (!trust) own.field("type", "stdio");
    own.field("command", server.program);
    {
      own.array("args").value("serve");
    }
    if (trust) own.field("trust", true);
    auto environment = own.object("env");
    for (const auto& [name, value] : server.environment) environment.field(name, value);
  }
  return std::move(writer).take();
}

bool says_unknown_session(std::string_view said) {
  const std::string lower = text::lower(said);
  const auto says = [&lower](std::string_view word) {
    return lower.find(word) != std::string::npos;
  };
  if (says("no conversation found") || says("no rollout found")) return true;
  // A model or a file that is not found must not cost the conversation its memory.
  constexpr std::array<std::string_view, 4> names{"session", "conversation", "thread", "rollout"};
  return says("not found") && std::ranges::any_of(names, says);
}

bool JsonLines::take(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    buffer_ += piece.substr(0, end);
    if (buffer_.size() > max_line_bytes) return false;
    if (end == std::string_view::npos) return true;
    piece.remove_prefix(end + 1);
    line(buffer_);
    buffer_.clear();
  }
  return true;
}

void JsonLines::line(std::string_view text) {
  if (text::trim(text).empty()) return;
  json::Document document;
  const auto parsed = document.parse(text);
  if (parsed && parsed->is_object()) {
    event(*parsed);
  } else if (other_.size() + text.size() < max_answer_bytes) {
    other_ += std::string(text) + '\n';
  }
}

void JsonLines::end_of_output() {
  line(buffer_);
  buffer_.clear();
  json::Document document;
  const auto whole = document.parse(other_);
  if (!whole || !whole->is_object()) return;
  event(*whole);
  other_.clear();
}

TurnResult failed(const Turn& turn, const ChildEnd& end, std::string_view said) {
  TurnResult result;
  if (end.how == ChildEnd::How::stopped) {
    result.outcome = TurnResult::Outcome::stopped;
    return result;
  }
  const std::string all = fmt::format("{} {}", said, end.errors);
  if (end.how == ChildEnd::How::exited && turn.session && says_unknown_session(all)) {
    result.outcome = TurnResult::Outcome::unknown_session;
    return result;
  }
  ChildEnd shown = end;
  if (!text::trim(said).empty()) shown.errors = said;
  result.reason = describe(shown, turn.settings.deadline);
  return result;
}

TurnResult answered(std::string_view text, std::string session) {
  TurnResult result;
  result.session = std::move(session);
  result.text = text::trim(text::repair_utf8(text));
  result.outcome = result.text.empty() ? TurnResult::Outcome::empty : TurnResult::Outcome::answered;
  return result;
}

}  // namespace molecule::daemon
