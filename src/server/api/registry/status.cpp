#include "server/api/registry/status.hpp"

#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

std::optional<Transition> after_heartbeat(std::string_view status,
                                          const HeartbeatFacts& heartbeat) {
  constexpr double degraded_from = 0.5;
  constexpr double recovered_below = 0.1;
  if (status == "online") {
    if (heartbeat.runtime_state == "wedged") return Transition{"degraded", Cause::wedged};
    if (!heartbeat.manages_own_status && heartbeat.error_rate >= degraded_from) {
      return Transition{"degraded", Cause::error_rate};
    }
  } else if (status == "degraded") {
    const bool recovered =
        heartbeat.error_rate < recovered_below && heartbeat.runtime_state.empty();
    if (!heartbeat.manages_own_status && recovered) return Transition{"online", Cause::recovered};
  } else if (status == "offline") {
    return Transition{"online", Cause::returned};
  } else if (status == "provisioning" || status == "awaiting_agent") {
    return Transition{"online", Cause::first_heartbeat};
  }
  return std::nullopt;
}

std::optional<std::string_view> after_silence(std::string_view status, std::string_view runtime,
                                              std::chrono::microseconds silence,
                                              std::chrono::seconds external_limit) {
  constexpr std::chrono::seconds other_limit(180);
  if (status != "online" && status != "degraded") return std::nullopt;
  if (is_external_runtime(runtime)) {
    if (silence > external_limit) return "awaiting_agent";
  } else if (silence > other_limit) {
    return "offline";
  }
  return std::nullopt;
}

}  // namespace molecule::server
