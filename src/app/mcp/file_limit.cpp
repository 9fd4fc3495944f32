#include "app/mcp/file_limit.hpp"

#include "base/log.hpp"
#include "base/process.hpp"

namespace molecule::app {

namespace {

/// The databases of messages and of files, each with its log and its shared memory; the lock file
/// of the sessions, opened by the inbox and by the files; the status record.
constexpr std::uint64_t files_per_workspace = 9;
/// Standard streams, connections, and files that are open briefly.
constexpr std::uint64_t other_files = 40;

}  // namespace

void raise_file_limit(std::uint64_t workspaces) {
  if (workspaces < 2) return;
  const std::uint64_t limit = process::raise_open_files_limit();
  const std::uint64_t wanted = workspaces * files_per_workspace + other_files;
  if (limit >= wanted) return;
  log::warning(
      "{} workspaces need about {} open files, but the limit is {}: some may stay offline; "
      "raise it (`ulimit -n {}`)",
      workspaces, wanted, limit, wanted);
}

}  // namespace molecule::app
