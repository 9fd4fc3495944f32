#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace molecule::fuzz {

// One target per room that parses untrusted input. Each accepts arbitrary bytes, must neither crash
// nor hang, and throws `std::logic_error` if a documented promise is broken. Targets keep no state
// between runs, so that one file reproduces a finding.

/// mcp/framing: any split of the input gives the same lines. The first byte is the line limit, the
/// second the seed for the split.
void framing(std::string_view input);
/// mcp: a complete session in this process; the input is everything the host writes.
void dispatch(std::string_view input);
/// workspace/rows: one row of `/activity`.
void rows(std::string_view input);
/// base/text: UTF-8 and sanitising.
void text(std::string_view input);
/// base/redact and the platform's redaction of memories.
void redaction(std::string_view input);
/// base/json: reading, writing back, raw members.
void json(std::string_view input);
/// server/envelope: what a sender posts to `/a2a`.
void envelope(std::string_view input);

inline void require(bool holds, const std::string& promise) {
  if (!holds) throw std::logic_error("broken promise: " + promise);
}

}  // namespace molecule::fuzz
