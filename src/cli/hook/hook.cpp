#include "cli/hook/hook.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/async/clock.hpp"
#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/output.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "cli/hook/told_file.hpp"
#include "cli/session/choose.hpp"
#include "workspace/config/state_folder.hpp"
#include "workspace/store/hook_view.hpp"

namespace molecule::cli {

namespace {

using workspace::HookView;
using workspace::Told;
using workspace::WorkspaceConfig;

enum class Kind { start, prompt, stop, tool, unknown };

Kind kind_of(std::string_view event) {
  if (event == "SessionStart") return Kind::start;
  if (event == "UserPromptSubmit" || event == "BeforeAgent") return Kind::prompt;
  if (event == "Stop" || event == "AfterAgent") return Kind::stop;
  if (event == "PostToolUse" || event == "AfterTool") return Kind::tool;
  return Kind::unknown;
}

/// Names are other people's text and become a part of a prompt: only what a name needs, and short.
std::string safe_name(const HookView::One& one) {
  if (one.kind == "canvas_user") return "the user";
  constexpr std::size_t max_bytes = 24;
  std::string name;
  std::size_t words = 1;
  for (const char c : text::sanitize_name(one.peer_name)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || (byte >= '0' && byte <= '9') || c == '-' || c == '_' ||
                       c == '.' || ((byte | 0x20U) >= 'a' && (byte | 0x20U) <= 'z');
    if (c == ' ' && ++words > 2) break;
    if (plain || c == ' ') name += c;
  }
  name = text::prefix_bytes(text::trim(name), max_bytes);
  return name.empty() ? "a peer" : name;
}

std::string senders(const HookView& view) {
  std::vector<std::string> names;
  for (const HookView::One& one : view.first) {
    std::string name = safe_name(one);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  if (names.size() > 2) names.resize(2);
  std::string text = fmt::format("{}", fmt::join(names, " and "));
  if (view.fresh > names.size() && view.fresh > view.first.size()) text += " and others";
  return text;
}

std::string counted(std::size_t count) {
  return fmt::format("{} message{}", count, count == 1 ? "" : "s");
}

std::string context(std::string_view event, std::string_view text) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto specific = o.object("hookSpecificOutput");
    specific.field("hookEventName", event);
    specific.field("additionalContext", text);
  }
  return std::move(writer).take() + "\n";
}

/// Gemini's word for going on is another one.
std::string go_on(std::string_view event, std::string_view reason) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("decision", event == "AfterAgent" ? "deny" : "block");
    o.field("reason", reason);
  }
  return std::move(writer).take() + "\n";
}

std::string identity(const WorkspaceConfig& own, const HookView& view) {
  const std::string name = card_name(own);
  std::string text = fmt::format("You are {}{}workspace {} of a Molecule platform. ", name,
                                 name.empty() ? "" : ", ", own.id);
  if (view.waiting == 0) return text + "No messages wait in your inbox.";
  return text + fmt::format("{} wait{} in your inbox: call inbox_peek, and answer each with reply.",
                            counted(view.waiting), view.waiting == 1 ? "s" : "");
}

std::optional<WorkspaceConfig> choose(const workspace::Environment& environment,
                                      std::string_view id) {
  workspace::Reading reading = workspace::read_config(environment);
  if (!reading.knows_folders) return std::nullopt;
  auto& all = reading.config.workspaces;
  if (id.empty()) {
    if (all.size() != 1 || all.front().id.empty()) return std::nullopt;
    return std::move(all.front());
  }
  const std::string wanted = text::lower(id);
  for (WorkspaceConfig& one : all) {
    if (one.id == wanted) return std::move(one);
  }
  // Its state folder says all that a hook needs.
  if (!is_uuid(wanted)) return std::nullopt;
  WorkspaceConfig one;
  one.id = wanted;
  one.state_folder = workspace::find_state_folder(reading.state_folder, wanted, true);
  return one;
}

/// Answers for one session; keeps what it told.
class Teller {
 public:
  Teller(const WorkspaceConfig& own, std::string_view event, json::Value input)
      : own_(own),
        event_(event),
        input_(input),
        file_(own.state_folder, input["session_id"].string_or("")) {}

  std::string answer() {
    switch (kind_of(event_)) {
      case Kind::start:
        return start();
      case Kind::prompt:
        return prompt();
      case Kind::stop:
        return stop();
      case Kind::tool:
        return tool();
      case Kind::unknown:
        break;
    }
    return {};
  }

 private:
  HookView look(const Told& told, workspace::CountUsers users = workspace::CountUsers::no) {
    return workspace::read_hook_view(own_.state_folder, told, clock_, timing_, users);
  }

  void tell(const HookView& view, bool held_up) {
    if (file_.told == view.all && (!held_up || file_.held_up == view.all)) return;
    file_.told = view.all;
    if (held_up) file_.held_up = view.all;
    file_.write();
  }

  std::string start() {
    const HookView view = look(file_.told);
    file_.remove_old();
    tell(view, false);
    return context(event_, identity(own_, view));
  }

  std::string prompt() {
    const HookView view = look(file_.told);
    if (view.fresh == 0) return {};
    tell(view, false);
    return context(event_,
                   fmt::format("Molecule: {} new, from {}. inbox_peek shows; reply answers.",
                               counted(view.fresh), senders(view)));
  }

  /// Once for each message, and after it went on already only for what nothing was told of: the
  /// host cuts an agent short that never stops.
  std::string stop() {
    const bool went_on = input_["stop_hook_active"].boolean().value_or(false);
    const HookView view = look(went_on ? file_.told : file_.held_up);
    if (view.fresh == 0) return {};
    tell(view, true);
    return go_on(event_,
                 fmt::format("{} wait{} in your Molecule inbox, from {}. Call inbox_peek, "
                             "answer each with reply, then stop.",
                             counted(view.fresh), view.fresh == 1 ? "s" : "", senders(view)));
  }

  /// Peers can wait for the turn's end; a user's message may change the work.
  std::string tool() {
    const HookView view = look(file_.told, workspace::CountUsers::yes);
    if (view.fresh_from_user == 0) return {};
    tell(view, false);
    return context(event_, fmt::format("Molecule: the user wrote to you meanwhile ({}). Call "
                                       "inbox_peek before you go on.",
                                       counted(view.fresh_from_user)));
  }

  const WorkspaceConfig& own_;
  std::string_view event_;
  json::Value input_;
  SystemClock clock_;
  workspace::Timing timing_;
  ToldFile file_;
};

/// A host writes its JSON at once and closes the pipe; one that does neither must not hold up the
/// agent.
std::string read_input() {
  using std::chrono::steady_clock;
  constexpr std::size_t max_bytes = std::size_t{8} << 20;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(500);
  std::string input;
  std::string chunk(65536, '\0');
  while (input.size() < max_bytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd ready{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got <= 0) break;
    input.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return input;
}

}  // namespace

std::string answer_hook(const workspace::Environment& environment, std::string_view event,
                        std::string_view workspace_id, std::string_view input) {
  // The daemon's own handler: its message is what it works on.
  if (environment("MOLECULE_HANDLER") || kind_of(event) == Kind::unknown) return {};
  json::Document document;
  if (!document.parse(input).ok() || !document.root().is_object()) return {};
  const auto own = choose(environment, workspace_id);
  if (!own) return {};
  return Teller(*own, event, document.root()).answer();
}

int hook(const Arguments& arguments) {
  try {
    const std::string answer =
        answer_hook(workspace::process_environment(), arguments.value("EVENT"),
                    text::trim(arguments.value("--workspace")), read_input());
    if (!answer.empty()) output::print(answer);
  } catch (const std::exception&) {
    // A hook that fails must not stop the agent.
    return exit_code::done;
  }
  return exit_code::done;
}

}  // namespace molecule::cli
