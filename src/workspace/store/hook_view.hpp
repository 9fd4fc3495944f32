#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/async/clock.hpp"
#include "workspace/config/timing.hpp"

namespace molecule::workspace {

/// Which messages somebody was told of: those up to `newest`, except for `passed_over`, which a
/// session of an agent had at that time.
struct Told {
  std::int64_t newest = 0;
  std::vector<std::int64_t> passed_over = {};

  bool operator==(const Told&) const = default;
};

/// The inbox as a hook tells of it: what waits and no session of an agent has.
struct HookView {
  struct One {
    std::string kind;
    std::string peer_name;
  };
  std::size_t waiting = 0;
  /// Those of them that are not in `told`, and the first few of these.
  std::size_t fresh = 0;
  std::vector<One> first;
  /// How many of the fresh ones are the user's, if asked for.
  std::size_t fresh_from_user = 0;
  /// Everything that waits now, as told.
  Told all;
};

/// Counting the user's messages reads the fresh ones.
enum class CountUsers { no, yes };

/// Reads it without blocking anybody or changing anything; without `CountUsers::yes` in time that
/// does not grow with the size of the messages. Throws `StoreError`.
HookView read_hook_view(const std::filesystem::path& state_folder, const Told& told, Clock& clock,
                        const Timing& timing, CountUsers count_users = CountUsers::no);

}  // namespace molecule::workspace
