#pragma once

#include <filesystem>
#include <string_view>

#include "workspace/store/hook_view.hpp"

namespace molecule::cli {

/// What hooks have told one session of an agent host: a small file of its own in the state folder,
/// so that sessions side by side do not overwrite each other's. Losing it repeats a notice.
class ToldFile {
 public:
  ToldFile(const std::filesystem::path& state_folder, std::string_view session);

  /// By any hook.
  workspace::Told told;
  /// By one that kept the agent from stopping.
  workspace::Told held_up;

  /// Never synced to disk: a hook has milliseconds. A failure is ignored.
  void write() const;
  /// Removes the files of sessions that nothing was heard of for a week.
  void remove_old() const;

 private:
  std::filesystem::path path_;
};

}  // namespace molecule::cli
