#include "server/http/body_admission.hpp"

#include <algorithm>
#include <exception>

#include "base/log.hpp"
#include "server/access/access.hpp"
#include "server/api/limits/client_rate.hpp"
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

using Decision = RequestScreen::Decision;

/// Tells whoever waits, unless the platform ends before anything is decided.
struct Announcer {
  explicit Announcer(std::shared_ptr<Decision> made) : decision(std::move(made)) {}
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;
  ~Announcer() {
    const auto tell = std::exchange(decision->on_decided, nullptr);
    if (decision->outcome && tell) tell();
  }
  std::shared_ptr<Decision> decision;
};

awaitable<void> decide(Services& services, Access access, Request head,
                       std::shared_ptr<Decision> decision) {
  const Announcer announcer(decision);
  try {
    Context context(services);
    Result<Caller, Reply> caller = co_await authorize(context, access, head);
    if (!caller) count_refused(services, head.client, caller.error());
    decision->outcome.emplace(caller ? std::nullopt : std::optional<Reply>(caller.error()));
  } catch (const std::exception& error) {
    log::error("a token could not be looked up: {}", error.what());
    decision->outcome.emplace(too_busy("the store does not answer: retry shortly"));
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
  const auto decision = std::make_shared<Decision>();
  asio::co_spawn(
      executor_,
      decide(services_, target ? Access::workspace : Access::any_token, std::move(asked), decision),
      [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
      });
  // An embedded store has answered by now.
  if (decision->outcome && *decision->outcome) return Failure{**decision->outcome};
  return RequestScreen::Grant{.max_bytes = max,
                              .share = known_.share(head.credential()),
                              .pending = decision->outcome ? nullptr : decision};
}

}  // namespace molecule::server
