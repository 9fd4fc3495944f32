#pragma once

#include <memory>
#include <vector>

#include "server/store/postgres/connection/slot.hpp"
#include "server/store/postgres/group.hpp"

namespace molecule::server::store::postgres {

/// The connections of one process: some for transactions that write, which many sessions share, and
/// some for single statements. Each is made when it is needed.
class Pool {
 public:
  /// At least two connections.
  Pool(Parameters parameters, int connections, StoreMetrics& metrics);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  /// The one with the least to do.
  Group& group();
  Slot& reader();

 private:
  Parameters parameters_;
  std::vector<std::shared_ptr<Group>> groups_;
  std::vector<std::unique_ptr<Slot>> readers_;
};

}  // namespace molecule::server::store::postgres
