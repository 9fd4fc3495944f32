#pragma once

#include <string>
#include <string_view>

#include "net/curl_api.hpp"
#include "net/http_client.hpp"

namespace molecule::net {

/// Classifies a failed exchange; `begun`: the request may have been sent.
HttpErrc classify(CURLcode code, bool begun);

/// One line for people: what failed, on which server, and libcurl's reason if it adds anything.
std::string describe(HttpErrc code, std::string_view where, std::string_view reason);

}  // namespace molecule::net
