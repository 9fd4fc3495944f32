#include "cli/install/install.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "cli/commands/help.hpp"
#include "cli/install/line_diff.hpp"
#include "cli/install/plan.hpp"
#include "cli/output/terminal.hpp"
#include "cli/session/choose.hpp"
#include "cli/session/run_program.hpp"
#include "cli/session/session.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::cli {

namespace {

using workspace::WorkspaceConfig;

/// What was or would be done, for the person and as JSON.
class Outcome {
 public:
  Outcome(bool dry_run, bool json) : dry_run_(dry_run), json_(json) {}

  void file(const Change& change) {
    files_.push_back(change.file.path().string());
    if (dry_run_) {
      text_ += line_diff(files_.back(), change.file.before(),
                         change.restore ? change.file.original() : change.after);
    } else {
      text_ += files_.back() + "\n";
    }
  }
  void command(const std::vector<std::string>& words) {
    commands_.push_back(fmt::format("{}", fmt::join(words, " ")));
    text_ += fmt::format("{}{}\n", dry_run_ ? "would run: " : "", commands_.back());
  }
  bool nothing() const { return files_.empty() && commands_.empty(); }

  int print(std::string_view name) const {
    if (!json_) return finish(text_);
    json::Writer writer;
    {
      auto o = writer.object();
      o.field("name", name);
      o.field("changed", !nothing());
      o.field("dry_run", dry_run_);
      auto files = o.array("files");
      for (const std::string& one : files_) files.value(one);
    }
    std::string out = std::move(writer).take();
    if (dry_run_) {
      out.pop_back();
      out += ",\"diff\":" + json::quoted(text_) + "}";
    }
    return finish(out + "\n");
  }

 private:
  bool dry_run_;
  bool json_;
  std::vector<std::string> files_;
  std::vector<std::string> commands_;
  std::string text_;
};

/// Makes the changes; a failure names the file, and what was changed before it stays, as it is
/// valid by itself.
bool make(const std::vector<Change>& changes, bool dry_run, Outcome& outcome) {
  for (const Change& change : changes) {
    if (change.empty()) continue;
    if (!dry_run) {
      auto done = change.restore ? change.file.restore()
                                 : change.file.write(change.after, !change.only_ours);
      if (!done.ok()) {
        say_failure(done.error());
        return false;
      }
    }
    outcome.file(change);
  }
  return true;
}

std::vector<std::string> add_command(const std::string& claude, const ServerEntry& entry,
                                     const Host& host) {
  std::string members = "{";
  for (const auto& [name, value] : json_members(host, entry, false)) {
    members += fmt::format("{}{}:{}", members.size() > 1 ? "," : "", json::quoted(name), value);
  }
  return {claude, "mcp", "add-json", "--scope", "user", entry.name, members + "}"};
}

std::vector<std::string> remove_command(const std::string& claude, const ServerEntry& entry) {
  return {claude, "mcp", "remove", "--scope", "user", entry.name};
}

bool run_claude(const std::vector<std::string>& command, bool dry_run, Outcome& outcome) {
  outcome.command(command);
  if (dry_run) return true;
  const Ran ran = run_program(command);
  if (ran.code == 0) return true;
  say_failure(fmt::format("`claude mcp` failed with {}: {}", ran.code, text::trim(ran.output)));
  return false;
}

/// `~/.claude.json` is Claude Code's own state, which its sessions rewrite: its program changes it.
bool install_with_claude(const std::string& claude, const Host& host, const ServerEntry& entry,
                         bool dry_run, Outcome& outcome) {
  auto present = entry_present(host, entry);
  if (!present.ok()) {
    say_failure(present.error());
    return false;
  }
  if (*present == Present::yes) return true;
  if (*present == Present::differs &&
      !run_claude(remove_command(claude, entry), dry_run, outcome)) {
    return false;
  }
  return run_claude(add_command(claude, entry, host), dry_run, outcome);
}

/// A token that only the environment has is not there when the host starts the program.
bool keep_token(const WorkspaceConfig& own, bool dry_run) {
  workspace::Credentials credentials(own.token, own.state_folder);
  if (auto found = credentials.require(); !found.ok()) {
    say_failure(found.error());
    return false;
  }
  const bool from_environment = credentials.token_source() == "MOLECULE_WORKSPACE_TOKEN" ||
                                credentials.token_source().starts_with("MOLECULE_WORKSPACES");
  if (!from_environment || dry_run) return true;
  workspace::Credentials stored({.environment = [](std::string_view) { return std::nullopt; }},
                                own.state_folder);
  if (auto read = stored.reload(); read.ok() && !stored.token().empty()) return true;
  auto kept = stored.keep_issued_token(credentials.token());
  if (!kept.ok()) say_failure(kept.error());
  if (kept.ok()) say(fmt::format("The token is kept in {}.\n", own.state_folder.string()));
  return kept.ok();
}

std::string claude_program(const Host& host, const workspace::Environment& environment) {
  return host.name == "claude-code" ? find_in_path("claude", environment) : std::string();
}

}  // namespace

int install(const Arguments& arguments) {
  const auto environment = workspace::process_environment();
  const Host host = find_host(arguments.value("HOST"), environment);
  const bool tool_hook = arguments.has("--tool-hook");
  const InstallOptions options{.hooks = tool_hook || arguments.has("--hooks"),
                               .tool_hook = tool_hook,
                               .allow_tools = arguments.has("--allow-tools")};
  if (options.hooks && host.hooks == Host::Hooks::none) {
    return wrong_usage(fmt::format("{} has no hooks that molecule-mcp knows", host.title));
  }
  const bool dry_run = arguments.has("--dry-run");
  auto config = choose_one(arguments, dry_run ? Need::folders : Need::token);
  if (!config.ok()) return config.error();
  const WorkspaceConfig& own = config->workspaces.front();
  if (own.id.empty()) return wrong_usage("no workspace is configured: run `molecule-mcp setup`");
  const ServerEntry entry = make_entry(own, environment);
  const std::string claude = claude_program(host, environment);
  auto changes = plan_install(host, entry, own.id, options, !claude.empty());
  if (!changes.ok()) {
    say_failure(changes.error());
    return exit_code::failed;
  }
  mark_only_ours(*changes, host, entry, own.id, !claude.empty());
  if (!keep_token(own, dry_run)) return exit_code::usage;
  Outcome outcome(dry_run, arguments.json());
  const bool done =
      (claude.empty() || install_with_claude(claude, host, entry, dry_run, outcome)) &&
      make(*changes, dry_run, outcome);
  if (!done) return exit_code::failed;
  if (outcome.nothing()) {
    say(fmt::format("{} has {} already; nothing was changed.\n", host.title, entry.name));
  } else if (!dry_run) {
    say(fmt::format("{} starts {} from its next session on.{}{}\n", host.title, entry.name,
                    options.hooks && !host.note.empty() ? " " : "",
                    options.hooks ? host.note : ""));
  }
  return outcome.print(entry.name);
}

int uninstall(const Arguments& arguments) {
  const auto environment = workspace::process_environment();
  const Host host = find_host(arguments.value("HOST"), environment);
  const bool dry_run = arguments.has("--dry-run");
  auto config = choose_one(arguments, Need::folders);
  if (!config.ok()) return config.error();
  const WorkspaceConfig& own = config->workspaces.front();
  if (own.id.empty()) return wrong_usage("no workspace is configured: name it with WORKSPACE_ID");
  const ServerEntry entry = make_entry(own, environment);
  const std::string claude = claude_program(host, environment);
  auto changes = plan_uninstall(host, entry, own.id, !claude.empty());
  if (!changes.ok()) {
    say_failure(changes.error());
    return exit_code::failed;
  }
  Outcome outcome(dry_run, arguments.json());
  if (!claude.empty()) {
    auto present = entry_present(host, entry);
    if (!present.ok()) {
      say_failure(present.error());
      return exit_code::failed;
    }
    if (*present != Present::no && !run_claude(remove_command(claude, entry), dry_run, outcome)) {
      return exit_code::failed;
    }
  }
  if (!make(*changes, dry_run, outcome)) return exit_code::failed;
  if (outcome.nothing()) say(fmt::format("{} has no {}.\n", host.title, entry.name));
  return outcome.print(entry.name);
}

}  // namespace molecule::cli
