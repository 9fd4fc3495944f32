#include "server/store/postgres/pool.hpp"

#include <algorithm>
#include <utility>

namespace molecule::server::store::postgres {

Pool::Pool(Parameters parameters, int connections, StoreMetrics& metrics)
    : parameters_(std::move(parameters)) {
  const int writers = std::max(connections / 2, 1);
  for (int i = 0; i < writers; ++i)
    groups_.push_back(std::make_shared<Group>(parameters_, metrics));
  for (int i = writers; i < std::max(connections, 2); ++i) {
    readers_.push_back(std::make_unique<Slot>(parameters_));
  }
}

Pool::~Pool() {
  for (const auto& group : groups_) group->close();
}

Group& Pool::group() {
  return **std::ranges::min_element(groups_, {}, [](const auto& group) { return group->load(); });
}

Slot& Pool::reader() {
  return **std::ranges::min_element(readers_, {}, [](const auto& slot) { return slot->load(); });
}

}  // namespace molecule::server::store::postgres
