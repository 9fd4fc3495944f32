#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace molecule::bench {

/// Times of requests: counts in buckets that are 1/64 of their value wide, from 1 µs to an hour.
class Latencies {
 public:
  void add(std::int64_t nanoseconds);
  std::uint64_t count() const { return count_; }
  /// Milliseconds; 0 if nothing was added.
  double percentile(double part) const;
  double max() const;

 private:
  static constexpr std::size_t steps = 64;
  static constexpr std::size_t octaves = 42;
  static std::size_t bucket_of(std::uint64_t nanoseconds);

  std::array<std::uint64_t, steps * octaves> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace molecule::bench
