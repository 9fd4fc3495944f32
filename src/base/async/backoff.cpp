#include "base/async/backoff.hpp"

#include <algorithm>

namespace molecule {

Backoff::milliseconds Backoff::next(double random) {
  const unsigned doublings = std::min(tries_++, 20U);
  const milliseconds base = std::min(first_ * (std::int64_t{1} << doublings), max_);
  const double factor = 0.75 + 0.5 * random;
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(base.count()) * factor));
}

}  // namespace molecule
