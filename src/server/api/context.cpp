#include "server/api/context.hpp"

#include <algorithm>

#include "base/text/time.hpp"

namespace molecule::server {

std::int64_t now_micros(Services& services) {
  services.last_micros = std::max(services.last_micros + 1, to_micros(services.clock.wall()));
  return services.last_micros;
}

Context::Context(Services& shared)
    : services(shared),
      session_(shared.store.session()),
      store(*session_),
      events(shared.events, shared.clock) {}

std::int64_t Context::wall_micros() const {
  return to_micros(services.clock.wall());
}

}  // namespace molecule::server
