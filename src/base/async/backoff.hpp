#pragma once

#include <chrono>
#include <cstdint>

namespace molecule {

/// How long to wait before the next try: `first`, doubled each time up to `max`, each ±25 % so that
/// many clients do not come back at the same time (molecule-mcp.md 4 and 6).
class Backoff {
 public:
  using milliseconds = std::chrono::milliseconds;

  Backoff(milliseconds first, milliseconds max) : first_(first), max_(max) {}

  /// `random` is uniform in [0, 1).
  milliseconds next(double random);
  void reset() { tries_ = 0; }

 private:
  milliseconds first_;
  milliseconds max_;
  unsigned tries_ = 0;
};

}  // namespace molecule
