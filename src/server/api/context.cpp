#include "server/api/context.hpp"

#include <algorithm>

#include "base/text/time.hpp"
#include "base/uuid.hpp"

namespace molecule::server {

std::int64_t now_micros(Services& services) {
  constexpr std::int64_t second = 1'000'000;
  const std::int64_t wall = to_micros(services.clock.wall());
  const bool set_back = wall + second < services.last_micros;
  services.last_micros = set_back ? wall : std::max(services.last_micros + 1, wall);
  return services.last_micros;
}

void note_tick(Services& services, std::string_view task) {
  services.ticks.insert_or_assign(
      std::string(task), Services::Tick{.wall = services.clock.wall(), .at = services.clock.now()});
}

Context::Context(Services& shared)
    : services(shared),
      session_(shared.store.session()),
      store(*session_),
      events(shared.events, shared.clock) {}

awaitable<void> Context::begin_writing() {
  if (writing_) co_return;
  co_await store.begin();
  writing_ = true;
}

std::string Context::new_id() {
  return ordered_uuid(now_micros());
}

std::int64_t Context::wall_micros() const {
  return to_micros(services.clock.wall());
}

}  // namespace molecule::server
