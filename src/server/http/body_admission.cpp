#include "server/http/body_admission.hpp"

#include <algorithm>
#include <exception>

#include "base/log.hpp"
#include "server/access/access.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

/// The workspace that an upload is for (platform-api.md 4.5); nothing for any other request.
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

using Refusal = std::optional<Reply>;

/// Leaves the decision in `refusal`, which has no value until then.
awaitable<void> decide(Services& services, Access access, Request head,
                       std::shared_ptr<std::optional<Refusal>> refusal) {
  try {
    Context context(services);
    const Result<Caller, Reply> caller = co_await authorize(context, access, head);
    refusal->emplace(caller ? Refusal() : Refusal(caller.error()));
  } catch (const std::exception& error) {
    log::error("a token could not be looked up: {}", error.what());
  }
}

}  // namespace

BodyAdmission::BodyAdmission(Services& services, asio::any_io_executor executor)
    : services_(services),
      executor_(std::move(executor)),
      known_({.one = max_uploads_of_one * services.max_upload_bytes,
              .all = max_uploads * services.max_upload_bytes}) {}

std::uint64_t BodyAdmission::unasked_bytes() const {
  return std::min<std::uint64_t>(max_unknown_bytes, services_.max_body_bytes);
}

Result<RequestScreen::Grant, Reply> BodyAdmission::admit(const Request& head,
                                                         std::optional<std::uint64_t> declared) {
  Request asked = head;
  remove_prefix(asked.path, prefix_of(services_.base_url));
  const std::optional<std::string_view> target = upload_target(asked);
  const std::uint64_t max = target ? services_.max_upload_bytes : services_.max_body_bytes;
  if (declared.value_or(0) > max) return Failure{body_too_large(max)};
  if (target) asked.args.emplace_back(*target);
  const auto refusal = std::make_shared<std::optional<Refusal>>();
  // An embedded store answers before this returns. The bytes of a connection do not wait for one
  // that takes longer.
  asio::co_spawn(
      executor_,
      decide(services_, target ? Access::workspace : Access::any_token, std::move(asked), refusal),
      [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
      });
  if (!refusal->has_value()) {
    return Failure{too_busy("the store does not answer at once: retry shortly")};
  }
  if (refusal->value()) return Failure{*std::move(refusal->value())};
  return RequestScreen::Grant{.max_bytes = max, .share = known_.share(head.credential())};
}

}  // namespace molecule::server
