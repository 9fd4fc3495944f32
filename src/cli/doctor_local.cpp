#include "cli/doctor_local.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/files/abilities.hpp"
#include "cli/age.hpp"
#include "workspace/store/inbox/message_store.hpp"
#include "workspace/store/stored_state.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;
using Status = Check::Status;

constexpr const char* folder_name = "state folder";
/// The files that hold secrets or messages.
constexpr std::array private_files{".auth_token",       ".dead_tokens",  ".platform_inbound_secret",
                                   ".mcp_inbox_cursor", "status.json",   "inbox.db",
                                   "inbox.db-wal",      "sessions.lock", "files.db"};

Check folder_problem(const fs::path& folder, std::string_view what, int code) {
  return {Status::fail, folder_name,
          fmt::format("{} {}: {}", what, folder.string(), std::strerror(code)),
          "set CONFIGS_DIR to a writable folder"};
}

bool may_write(const fs::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

constexpr const char* local_folder = "set CONFIGS_DIR to a folder on a local disk";

/// What the folder's file system cannot do, tried with a file that is removed again.
std::vector<Check> check_file_system(const fs::path& folder) {
  std::vector<Check> checks;
  const files::Abilities found = files::try_folder(folder);
  const auto fail = [&](int code, std::string_view what) {
    if (code == 0) return;
    Check check = folder_problem(folder, what, code);
    check.next = local_folder;
    checks.push_back(std::move(check));
  };
  fail(found.make, "cannot create a file in");
  fail(found.write, "cannot write a file in");
  fail(found.sync, "cannot sync a file to disk in");
  fail(found.lock, "cannot lock a file, so sessions cannot share the inbox, in");
  if (found.shared_memory != 0) {
    checks.push_back({Status::warn, folder_name,
                      fmt::format("processes cannot share memory in {} ({}): the inbox works, but "
                                  "more slowly",
                                  folder.string(), std::strerror(found.shared_memory)),
                      "nothing needs to be done; a folder on a local disk is faster"});
  }
  return checks;
}

/// The problem with one file of the folder, if there is any.
std::optional<Check> check_file(const fs::path& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return std::nullopt;
  if (!S_ISREG(file.st_mode)) {
    return Check{Status::fail, folder_name,
                 fmt::format("{} is {}, and is not opened", path.string(),
                             S_ISLNK(file.st_mode) ? "a symbolic link" : "not a regular file"),
                 fmt::format("move it away: mv {0} {0}.old", path.string())};
  }
  if ((file.st_mode & 077) == 0) return std::nullopt;
  return Check{
      Status::warn, folder_name,
      fmt::format("other users can access {} (mode {:04o})", path.string(), file.st_mode & 07777),
      fmt::format("chmod 600 {}", path.string())};
}

/// A missing folder is fine if the first start can create it.
Check check_missing_folder(const fs::path& folder) {
  fs::path above = folder;
  while (::access(above.c_str(), F_OK) != 0 && above != above.parent_path()) {
    if (errno != ENOENT) return folder_problem(folder, "cannot reach", errno);
    above = above.parent_path();
  }
  struct stat status{};
  if (::stat(above.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return folder_problem(folder, "cannot create", ENOTDIR);
  }
  if (!may_write(above)) return folder_problem(folder, "cannot create", errno);
  return {Status::ok, folder_name,
          fmt::format("{} does not exist yet; the first start creates it", folder.string()), ""};
}

Check check_inbox(const fs::path& folder, const workspace::StoredState& state) {
  constexpr const char* name = "inbox";
  if (state.newer) {
    return {Status::fail, name, state.problem,
            "use that version again, since a new file would lack its messages"};
  }
  if (!state.problem.empty()) {
    const bool locks = files::lock_failure(folder) == 0;
    return {Status::fail, name, state.problem,
            locks
                ? "if the problem persists, move the file away: the next start creates a new inbox"
                : local_folder};
  }
  if (!state.exists) return {Status::ok, name, "none yet; the first start creates it", ""};
  if (state.waiting >= workspace::MessageStore::max_waiting) {
    return {Status::warn, name,
            fmt::format("the inbox is full ({} messages): no more are fetched", state.waiting),
            "let the agent answer them and remove them with inbox_pop"};
  }
  return {Status::ok, name,
          fmt::format("{} message{} waiting, {} of them handed out", state.waiting,
                      state.waiting == 1 ? "" : "s", state.handed_out),
          ""};
}

Check check_owner(const workspace::StoredState& state, Clock& clock) {
  constexpr const char* name = "owner";
  if (state.owner == workspace::OwnerState::none) {
    return {Status::ok, name, "no molecule-mcp process is serving it here", ""};
  }
  const auto& record = *state.record;
  if (state.owner == workspace::OwnerState::disabled) {
    return {Status::warn, name,
            fmt::format("process {}, disabled: {}", record.pid, record.last_error),
            "fix the cause, then restart that process"};
  }
  const std::string since =
      record.since ? fmt::format(", for {}", age(*record.since, clock.wall())) : "";
  if (state.owner == workspace::OwnerState::active) {
    return {Status::ok, name, fmt::format("process {} is serving it{}", record.pid, since), ""};
  }
  return {Status::warn, name, fmt::format("process {} is suspended{}", record.pid, since),
          fmt::format("resume it (kill -CONT {}) or end it", record.pid)};
}

}  // namespace

std::vector<Check> check_configuration(const workspace::Reading& reading) {
  constexpr const char* name = "configuration";
  std::vector<Check> checks;
  for (const std::string& problem : reading.problems) {
    checks.push_back({Status::fail, name, problem,
                      "run `molecule-mcp setup`, or see `molecule-mcp help environment`"});
  }
  const auto warn = [&checks](std::string detail, std::string next) {
    checks.push_back({Status::warn, name, std::move(detail), std::move(next)});
  };
  for (const std::string& warning : reading.warnings) {
    warn(warning, "correct the value, or unset the variable");
  }
  if (!reading.config.heartbeat) {
    warn("MOLECULE_MCP_DISABLE_HEARTBEAT is set: no heartbeats are sent",
         "unset it, unless another program keeps the workspace online");
  }
  if (!reading.config.inbox) {
    warn("MOLECULE_MCP_DISABLE_INBOX is set: messages are not fetched",
         "unset it, unless another program fetches them");
  }
  if (checks.empty()) {
    const std::size_t count = reading.config.workspaces.size();
    const workspace::WorkspaceConfig& first = reading.config.workspaces.front();
    checks.push_back({Status::ok, name,
                      count == 1 ? fmt::format("workspace {} on {}", first.id, first.platform_url)
                                 : fmt::format("{} workspaces", count),
                      ""});
  }
  return checks;
}

std::vector<Check> check_state_folder(const workspace::WorkspaceConfig& workspace) {
  const fs::path& folder = workspace.state_folder;
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    if (errno == ENOENT) return {check_missing_folder(folder)};
    return {folder_problem(folder, "cannot open", errno)};
  }
  if (!S_ISDIR(status.st_mode)) return {folder_problem(folder, "cannot open", ENOTDIR)};
  if (!may_write(folder)) return {folder_problem(folder, "cannot write to", errno)};
  std::vector<Check> checks = check_file_system(folder);
  for (const char* name : private_files) {
    if (auto found = check_file(folder / name)) checks.push_back(std::move(*found));
  }
  if (checks.empty()) {
    checks.push_back(
        {Status::ok, folder_name,
         fmt::format("{} is writable (mode {:04o})", folder.string(), status.st_mode & 07777), ""});
  }
  return checks;
}

std::optional<Check> check_length(workspace::Credentials& credentials) {
  if (!credentials.require().ok() || credentials.warning().empty()) return std::nullopt;
  return Check{Status::warn, "configuration", credentials.warning(),
               "make a new token, and put it there"};
}

Check check_token(workspace::Credentials& credentials) {
  Check check{Status::ok, "token", "", ""};
  if (const auto found = credentials.require(); found.ok()) {
    check.detail = "from " + credentials.token_source();
  } else {
    check.status = Status::fail;
    check.detail = found.error();
    check.next = "create a token in the canvas → Tokens tab, and store it there";
  }
  return check;
}

std::vector<Check> check_state(const workspace::WorkspaceConfig& workspace, Clock& clock,
                               const workspace::Timing& timing) {
  const auto state = workspace::read_stored_state(workspace.state_folder, clock, timing);
  return {check_inbox(workspace.state_folder, state), check_owner(state, clock)};
}

}  // namespace molecule::cli
