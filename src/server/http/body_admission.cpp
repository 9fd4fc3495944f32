#include "server/http/body_admission.hpp"

#include <algorithm>
#include <exception>

#include "base/log.hpp"
#include "server/access/auth.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

/// The workspace whose files these are (platform-api.md 4.5); nothing for any other request.
std::optional<std::string_view> upload_target(const Request& head) {
  constexpr std::string_view before = "/workspaces/";
  constexpr std::string_view after = "/chat/uploads";
  std::string_view path = head.path;
  if (head.method != "POST" || !path.starts_with(before)) return std::nullopt;
  path.remove_prefix(before.size());
  if (!path.ends_with(after)) return std::nullopt;
  path.remove_suffix(after.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

Reply busy_reply() {
  Reply reply = error_reply(503, "too many large requests at a time: retry shortly");
  reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

}  // namespace

std::uint64_t BodyAdmission::unasked_bytes() const {
  return std::min<std::uint64_t>(most_unknown_bytes, context_.max_body_bytes);
}

Result<RequestScreen::Grant, Reply> BodyAdmission::admit(const Request& head,
                                                         std::optional<std::uint64_t> declared) {
  const std::optional<std::string_view> target = upload_target(head);
  const std::uint64_t most = target ? context_.max_upload_bytes : context_.max_body_bytes;
  if (declared.value_or(0) > most) return Failure{body_too_large(most)};
  try {
    auto refusal =
        target ? workspace_auth(context_, head, *target) : any_token_auth(context_, head);
    if (refusal) return Failure{*std::move(refusal)};
  } catch (const std::exception& error) {
    log::error("a token could not be looked up: {}", error.what());
    return Failure{busy_reply()};
  }
  const std::uint64_t bytes = declared.value_or(most);
  if (*held_ + bytes > most_uploads * context_.max_upload_bytes) return Failure{busy_reply()};
  *held_ += bytes;
  const auto give_back = [held = held_, bytes](const void*) { *held -= bytes; };
  return RequestScreen::Grant{.most_bytes = most, .hold = {held_.get(), give_back}};
}

}  // namespace molecule::server
