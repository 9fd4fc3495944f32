#include "cli/age.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace molecule::cli {

std::string age(WallTime time, WallTime now) {
  // A time in the future (the clock was set back) counts as now.
  const auto seconds = std::max<std::chrono::seconds::rep>(
      std::chrono::duration_cast<std::chrono::seconds>(now - time).count(), 0);
  const auto minutes = seconds / 60;
  const auto hours = minutes / 60;
  if (minutes == 0) return fmt::format("{} s", seconds);
  if (hours == 0) return fmt::format("{} min", minutes);
  if (hours < 24) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

}  // namespace molecule::cli
