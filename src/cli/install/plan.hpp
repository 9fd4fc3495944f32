#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/install/edited_file.hpp"
#include "cli/install/hosts.hpp"
#include "cli/install/server_entry.hpp"

namespace molecule::cli {

struct InstallOptions {
  bool hooks = false;
  /// With hooks: also after each tool, for turns that are long.
  bool tool_hook = false;
  bool allow_tools = false;
};

/// A change of one file, worked out and not yet made.
struct Change {
  EditedFile file;
  std::string after;
  /// Put the file back as it was before the first change, because nothing else differs.
  bool restore = false;

  /// The file holds only what an earlier install wrote: nothing of it is to be kept.
  bool only_ours = false;

  bool empty() const { return !restore && file.before() == after; }
};

/// What `install` changes in the host's files. The error, for people, means that nothing is to be
/// changed at all. `entry_elsewhere`: the host's own program writes the entry.
Result<std::vector<Change>, std::string> plan_install(const Host& host, const ServerEntry& entry,
                                                      const std::string& workspace_id,
                                                      const InstallOptions& options,
                                                      bool entry_elsewhere);
/// What `uninstall` changes: entry, hooks and permissions of this workspace, as far as they are
/// ours.
Result<std::vector<Change>, std::string> plan_uninstall(const Host& host, const ServerEntry& entry,
                                                        const std::string& workspace_id,
                                                        bool entry_elsewhere);

/// Marks the changes of files that `install` has made and that hold nothing else.
void mark_only_ours(std::vector<Change>& changes, const Host& host, const ServerEntry& entry,
                    const std::string& workspace_id, bool entry_elsewhere);

/// Whether the host's file has the entry as it should be, in another form, or not at all.
enum class Present { no, differs, yes };
Result<Present, std::string> entry_present(const Host& host, const ServerEntry& entry);

}  // namespace molecule::cli
