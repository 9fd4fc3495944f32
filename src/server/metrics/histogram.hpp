#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace molecule::server {

/// Counts of values by upper bounds, as Prometheus wants them, for times in seconds and for sizes.
class Histogram {
 public:
  static constexpr std::array<double, 16> times{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                1,      2.5,     5,      10};
  static constexpr std::array<double, 8> sizes{1, 2, 5, 10, 20, 50, 100, 200};

  /// `bounds` must outlive this and have at most 16 values, in ascending order.
  explicit Histogram(std::span<const double> bounds = times) : bounds_(bounds) {}

  void add(double value);
  void add(std::chrono::steady_clock::duration time) {
    add(std::chrono::duration<double>(time).count());
  }

  std::span<const double> bounds() const { return bounds_; }
  /// Of the values up to `bounds()[index]` that are above the bound before.
  std::uint64_t in_bucket(std::size_t index) const { return counts_.at(index); }
  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;
  /// The last one is of the values above all bounds.
  std::array<std::uint64_t, 17> counts_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace molecule::server
