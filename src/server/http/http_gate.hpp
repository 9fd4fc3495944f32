#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.hpp"

namespace molecule::server {

/// Who may reach the platform from a browser (platform-api.md 0.5, and DNS rebinding): a page of
/// another site can make a browser send requests here, but cannot choose their Host and Origin.
struct GateRules {
  /// Names, besides localhost and the loopback addresses, under which the platform is reached.
  std::vector<std::string> hosts;
  /// Origins of other sites' pages that may read answers, exactly as browsers send them.
  std::vector<std::string> origins;
  /// The URL under which a proxy publishes the platform, if one does: its name is an own one, and
  /// so is its origin, whatever Host the proxy sends.
  std::string external_url = {};
};

/// The origin of an http or https URL as browsers send it (RFC 6454): lower case, without the
/// scheme's own port. Empty where there is none.
std::string origin_of(std::string_view url);

/// The answer to a request that goes no further: 400 for a missing, repeated or misspelt Host and
/// for a field name with a blank in it, 403 for a Host or an Origin of somebody else, 204 for the
/// preflight of an allowed origin.
std::optional<Reply> check_gate(const GateRules& rules, const Request& request);

/// Adds the fields that every answer has (platform-api.md 0.7), and those of CORS where its Origin
/// is allowed.
void add_common_headers(const GateRules& rules, const Request& request, Reply& reply);

/// The name in a Host field, lower case, without the port; nothing for a malformed field.
std::optional<std::string> host_name(std::string_view host);

/// The whole answer as it goes over the wire, for a request that RESTinio never sees: the
/// connection is closed after it.
std::string closing_answer(const Reply& reply);

/// The words of the status line.
std::string_view reason_of(int status);

}  // namespace molecule::server
