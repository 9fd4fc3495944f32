#include "cli/service/service.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/files/files.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "cli/commands/help.hpp"
#include "cli/install/server_entry.hpp"
#include "cli/output/terminal.hpp"
#include "cli/service/service_file.hpp"
#include "cli/session/run_program.hpp"
#include "cli/session/session.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;
/// A program with its arguments.
using Line = std::vector<std::string>;

std::string domain() {
  return fmt::format("gui/{}", ::getuid());
}

std::string target() {
  return fmt::format("{}/{}", domain(), agent_label);
}

Line systemctl(Line words) {
  Line command{"systemctl", "--user"};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string native(const Line& command) {
  return fmt::format("{}", fmt::join(command, " "));
}

/// Runs a command of the service manager; says why it failed.
bool run(const Line& command) {
  const Ran ran = run_program(command);
  if (ran.code == 0) return true;
  const std::string why(text::trim(ran.output));
  say_failure(
      fmt::format("`{}` failed{}", native(command), why.empty() ? "" : ": " + why),
      ran.code < 0 ? "It could not be started: is this system's service manager there?" : "");
  return false;
}

int finish_with(const Arguments& arguments, std::string_view state, const fs::path& path,
                const Line& more) {
  if (!arguments.json()) {
    say(fmt::format("For more: {}\n", native(more)));
    return finish(fmt::format("{}\n", path.empty() ? std::string(state) : path.string()));
  }
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("state", state);
    o.field("file", path.string());
    o.field("more", native(more));
  }
  return finish(std::move(writer).take() + "\n");
}

Line more_command() {
  if (manager == Manager::launchd) return {"launchctl", "print", target()};
  return systemctl({"status", std::string(unit_name)});
}

fs::path installed_file(const workspace::Environment& environment) {
  fs::path own = service_path(manager, environment);
  if (::access(own.c_str(), F_OK) == 0) return own;
  return manager == Manager::systemd ? packaged_unit() : fs::path();
}

/// Without lingering a user's services end with the last session.
void advise_lingering() {
  if (manager != Manager::systemd || ::getuid() == 0) return;
  const char* user = std::getenv("USER");
  const std::string name = user != nullptr ? user : "";
  if (name.empty() || ::access(("/var/lib/systemd/linger/" + name).c_str(), F_OK) == 0) return;
  say("It ends when you log out. To keep it: sudo loginctl enable-linger $USER\n");
}

/// launchd loads no agent twice, and one that is told to go ends in its own time.
bool load_agent(const fs::path& path, bool replaced) {
  constexpr std::chrono::seconds patience{40};
  constexpr std::chrono::milliseconds pause{200};
  const auto is_loaded = [] { return run_program({"launchctl", "print", target()}).code == 0; };
  if (is_loaded()) {
    if (!replaced) return true;
    run_program({"launchctl", "bootout", target()});
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (is_loaded() && std::chrono::steady_clock::now() < give_up) {
      // This command has no loop.
      // ast-grep-ignore: blocking-call
      std::this_thread::sleep_for(pause);
    }
  }
  return run({"launchctl", "bootstrap", domain(), path.string()});
}

/// `replaced`: an older file may be what runs.
bool start_service(const fs::path& path, bool replaced) {
  if (manager == Manager::launchd) return load_agent(path, replaced);
  return run(systemctl({"daemon-reload"})) &&
         run(systemctl({"enable", "--now", std::string(unit_name)})) &&
         (!replaced || run(systemctl({"restart", std::string(unit_name)})));
}

/// Runs one of start, stop, restart.
int control(const Arguments& arguments, const std::string& action) {
  const auto environment = workspace::process_environment();
  const fs::path path = installed_file(environment);
  if (path.empty()) {
    say_failure("the service is not installed", "Run `molecule-mcp service install`.");
    return exit_code::not_found;
  }
  Line command = systemctl({action, std::string(unit_name)});
  if (manager == Manager::launchd && action == "stop") command = {"launchctl", "bootout", target()};
  if (manager == Manager::launchd && action == "start") {
    command = {"launchctl", "bootstrap", domain(), path.string()};
  }
  if (manager == Manager::launchd && action == "restart") {
    command = {"launchctl", "kickstart", "-k", target()};
  }
  if (!run(command)) return exit_code::failed;
  return finish_with(arguments, action == "stop" ? "stopped" : "started", {}, more_command());
}

}  // namespace

int service_install(const Arguments& arguments) {
  const auto environment = workspace::process_environment();
  const std::string program = program_path(environment);
  const std::string text = service_text(manager, program, environment);
  if (arguments.has("--dry-run")) return finish(text);
  const fs::path path = service_path(manager, environment);
  if (auto made = files::make_private_folder(path.parent_path()); !made.ok()) {
    say_failure(made.error().message);
    return exit_code::failed;
  }
  const auto present = files::read(path);
  const bool replaced = present.ok() && *present != text;
  if (!present.ok() || replaced) {
    if (auto written = files::replace(path, text, 0644); !written.ok()) {
      say_failure(written.error().message);
      return exit_code::failed;
    }
  }
  auto config = workspace::read_config(environment);
  if (!config.problems.empty()) {
    say("The configuration is not complete, so the service will end at once: run `molecule-mcp "
        "setup`.\n");
  }
  const bool start = !arguments.has("--no-start");
  if (start && !start_service(path, replaced)) {
    [[maybe_unused]] const int shown = finish(path.string() + "\n");
    return exit_code::failed;
  }
  advise_lingering();
  return finish_with(arguments, start ? "started" : "installed", path, more_command());
}

int service_uninstall(const Arguments& arguments) {
  const auto environment = workspace::process_environment();
  const fs::path path = service_path(manager, environment);
  if (::access(path.c_str(), F_OK) != 0) {
    say("The service is not installed for this user.\n");
    return exit_code::done;
  }
  // A service that does not run, or a manager that does not, must not keep the file.
  if (manager == Manager::launchd) {
    run_program({"launchctl", "bootout", target()});
  } else {
    run_program(systemctl({"disable", "--now", std::string(unit_name)}));
  }
  if (::unlink(path.c_str()) != 0) {
    say_failure(fmt::format("cannot remove {}: {}", path.string(), files::reason(errno)));
    return exit_code::failed;
  }
  if (manager == Manager::systemd) run_program(systemctl({"daemon-reload"}));
  return finish_with(arguments, "uninstalled", path, more_command());
}

int service_start(const Arguments& arguments) {
  return control(arguments, "start");
}

int service_stop(const Arguments& arguments) {
  return control(arguments, "stop");
}

int service_restart(const Arguments& arguments) {
  return control(arguments, "restart");
}

int service_status(const Arguments& arguments) {
  const fs::path path = installed_file(workspace::process_environment());
  if (path.empty()) {
    say_failure("the service is not installed", "Run `molecule-mcp service install`.");
    return exit_code::not_found;
  }
  const Ran ran = manager == Manager::launchd
                      ? run_program({"launchctl", "print", target()})
                      : run_program(systemctl({"is-active", std::string(unit_name)}));
  std::string state(text::trim(ran.output));
  if (manager == Manager::launchd) state = ran.code == 0 ? "active" : "inactive";
  if (ran.code < 0 || state.find('\n') != std::string::npos ||
      state.find(' ') != std::string::npos) {
    say_failure(fmt::format("the service manager does not answer: {}", text::one_line(state)));
    return exit_code::failed;
  }
  // The state is what was asked for; the file is beside it.
  if (!arguments.json()) say(fmt::format("{}\n", path.string()));
  const int shown =
      finish_with(arguments, state, arguments.json() ? path : fs::path(), more_command());
  return state == "active" ? shown : exit_code::failed;
}

int logs(const Arguments& arguments) {
  const std::string lines = arguments.value("--lines", "100");
  unsigned number = 0;
  const auto [end, error] = std::from_chars(lines.data(), lines.data() + lines.size(), number);
  if (error != std::errc() || end != lines.data() + lines.size()) {
    return wrong_usage(fmt::format("--lines {}: a number is needed", text::one_line(lines)));
  }
  const bool follow = arguments.has("--follow");
  Line command{"journalctl", "--user-unit", std::string(unit_name), "--no-pager", "-n", lines};
  if (manager == Manager::launchd && arguments.json()) {
    return wrong_usage("logs --json: launchd keeps text only");
  }
  if (manager == Manager::launchd) {
    const fs::path path = log_path(workspace::process_environment());
    command = {"tail", "-n", lines};
    if (follow) command.emplace_back("-F");
    command.push_back(path.string());
  } else {
    if (follow) command.emplace_back("-f");
    if (arguments.json()) command.emplace_back("--output=json");
  }
  become_program(command);
  say_failure(fmt::format("{} cannot be started: {}", command.front(), files::reason(errno)));
  return exit_code::failed;
}

}  // namespace molecule::cli
