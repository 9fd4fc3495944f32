#pragma once

#include <string_view>

#include "base/result.hpp"
#include "server/api/input.hpp"
#include "server/api/requests/request_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// What may be said in a request (page.md 3.2).

inline constexpr std::size_t max_title_bytes = 500;
inline constexpr std::size_t max_detail_bytes = std::size_t{64} << 10;

/// The 400 if a title, a detail, a message or a reason is too long, or a title is missing.
std::optional<Reply> title_refusal(std::string_view title);
std::optional<Reply> detail_refusal(std::string_view name, std::string_view text);

/// Reads kind, title, detail, priority, idempotency_key and a permission prompt. The failure is the
/// reply.
Result<RequestRow, Reply> read_request_body(Body& body);

/// `{"status", "request_id"}`
Reply status_reply(int status, std::string_view word, std::string_view request_id);

}  // namespace molecule::server
