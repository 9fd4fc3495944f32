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

}  // namespace

BodyAdmission::BodyAdmission(Context& context)
    : context_(context),
      known_({.one = most_uploads_of_one * context.max_upload_bytes,
              .all = most_uploads * context.max_upload_bytes}) {}

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
    return RequestScreen::Grant{.most_bytes = most,
                                .share = known_.share(head.bearer().value_or(""))};
  } catch (const std::exception& error) {
    log::error("a token could not be looked up: {}", error.what());
    return Failure{too_busy("the store is not available: retry shortly")};
  }
}

}  // namespace molecule::server
