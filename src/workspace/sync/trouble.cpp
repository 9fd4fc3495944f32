#include "workspace/sync/trouble.hpp"

#include <fmt/format.h>

namespace molecule::workspace {

std::string describe(const Trouble& trouble) {
  return fmt::format("{}, since {}. {}", trouble.what, format_rfc3339(trouble.since), trouble.next);
}

std::string_view advice(const platform::Error& error) {
  using platform::Errc;
  switch (error.code) {
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
      return "It is tried again and again; if it lasts, check PLATFORM_URL, the network, and that "
             "the platform runs.";
    case Errc::unauthorized:
    case Errc::forbidden:
      return "Check the token: a new one comes from the canvas, Tokens tab.";
    case Errc::rate_limited:
      return "It is tried again when the platform allows it; make fewer calls.";
    case Errc::server_error:
      return "The platform has a problem of its own: wait; nothing is lost meanwhile.";
    case Errc::not_the_platform:
    case Errc::malformed:
    case Errc::not_found:
      return "Check PLATFORM_URL and MOLECULE_ORG_ID: what answers there is not the platform, or "
             "something in between.";
    case Errc::payment_required:
    case Errc::conflict:
    case Errc::gone:
    case Errc::too_large:
    case Errc::rejected:
      break;
  }
  return "It is tried again and again; `molecule-mcp doctor` says more.";
}

}  // namespace molecule::workspace
