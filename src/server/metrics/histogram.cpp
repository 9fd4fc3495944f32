#include "server/metrics/histogram.hpp"

#include <algorithm>

namespace molecule::server {

void Histogram::add(double value) {
  const auto bound = std::ranges::lower_bound(bounds_, value);
  ++counts_.at(static_cast<std::size_t>(bound - bounds_.begin()));
  ++count_;
  sum_ += value;
}

}  // namespace molecule::server
