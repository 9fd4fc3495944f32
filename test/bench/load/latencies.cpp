#include "bench/load/latencies.hpp"

#include <algorithm>
#include <bit>

namespace molecule::bench {

namespace {

constexpr double nanoseconds_per_millisecond = 1e6;

}  // namespace

std::size_t Latencies::bucket_of(std::uint64_t nanoseconds) {
  // The six bits after the highest one choose the step within its octave.
  const std::uint64_t value = std::max<std::uint64_t>(nanoseconds, steps);
  const auto octave = static_cast<std::size_t>(std::bit_width(value)) - 1;
  const std::size_t step = (value >> (octave - 6)) - steps;
  return std::min(octave * steps + step, steps * octaves - 1);
}

void Latencies::add(std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  ++counts_.at(bucket_of(value));
  ++count_;
  max_ = std::max(max_, value);
}

double Latencies::percentile(double part) const {
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * part);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_.at(bucket);
    if (seen <= wanted) continue;
    const std::uint64_t lowest = (steps + bucket % steps) << (bucket / steps) >> 6U;
    return static_cast<double>(lowest) / nanoseconds_per_millisecond;
  }
  return max();
}

double Latencies::max() const {
  return static_cast<double>(max_) / nanoseconds_per_millisecond;
}

}  // namespace molecule::bench
