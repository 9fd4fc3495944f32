#pragma once

#include <string>
#include <string_view>

#include "net/curl_api.hpp"
#include "net/http_client.hpp"

namespace molecule::net {

/// What a failed exchange means for us; `begun` says whether the request may have left.
HttpErrc classify(CURLcode code, bool begun);

/// One line for people: what failed, on which server, and libcurl's reason where it says more.
std::string describe(HttpErrc code, std::string_view where, std::string_view reason);

}  // namespace molecule::net
