#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "platform/client.hpp"

namespace molecule::platform {

/// The chat with the user as `/chat-history` gives it, made of the rows of
/// `activity?source=canvas` (newest first) of a platform that has no such call: at most `limit`
/// messages before `before_ts`, oldest first. `all` is false if the platform has more rows.
std::string history_of_rows(const ActivityPage& page, std::size_t limit, std::string_view before_ts,
                            bool all);

}  // namespace molecule::platform
