#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server/metrics/histogram.hpp"

namespace molecule::server {

/// What the store counts since the start.
struct StoreMetrics {
  /// Requests whose writes shared one durable commit.
  Histogram group_sizes = Histogram(Histogram::sizes);
  /// A commit, with what makes it durable.
  Histogram commit_seconds = Histogram();
  std::uint64_t failed_commits = 0;
  /// Waits for the disk, for engines that do this themselves.
  Histogram sync_seconds = Histogram();
  /// Steps in which the log is moved into the database.
  Histogram checkpoint_seconds = Histogram();
};

/// What the store occupies. Empty: the engine does not know.
struct StoreSize {
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> log_bytes;
};

}  // namespace molecule::server
