#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace molecule::fuzz {

// One target a room that reads what others wrote. Each takes any bytes, must neither crash nor
// hang, and throws `std::logic_error` where a promise of the header it is about does not hold. They
// keep no state that a later run could see, so that one file replays what was found.

/// mcp/framing: any split of the input gives the same lines. The first byte is the line's cap, the
/// second the seed of the split.
void framing(std::string_view input);
/// mcp: a whole session in this process; the input is all that the host ever writes.
void dispatch(std::string_view input);
/// workspace/rows: one row of `/activity`.
void rows(std::string_view input);
/// base/text: UTF-8 and text of others.
void text(std::string_view input);
/// base/redact and the platform's memory redaction.
void redaction(std::string_view input);
/// base/json: reading, writing again, raw members.
void json(std::string_view input);
/// server/envelope: what a sender posts to `/a2a`.
void envelope(std::string_view input);

inline void require(bool holds, const std::string& promise) {
  if (!holds) throw std::logic_error("broken promise: " + promise);
}

}  // namespace molecule::fuzz
