#pragma once

#include "workspace/store/database.hpp"
#include "workspace/store/sessions.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// What each session of the workspace is working on: the sessions publish it, and the owner reports
/// it to the platform. Throws `StoreError`.
class Workloads {
 public:
  Workloads(Database& database, Sessions& sessions) : database_(database), sessions_(sessions) {}

  /// Waits for no other process: throws at once while one is writing.
  void publish(const Load& load);
  /// What the other sessions that are running have published: the sum of their tasks, and one that
  /// they work on.
  Load of_others();
  /// Forgets what ended sessions have published.
  void forget_ended();
  /// Withdraws what this session has published. Opens no file.
  void withdraw();

 private:
  Database& database_;
  Sessions& sessions_;
};

}  // namespace molecule::workspace
