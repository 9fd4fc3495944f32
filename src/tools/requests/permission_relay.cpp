#include "tools/requests/permission_relay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"

namespace molecule::tools {

namespace {

constexpr std::string_view asked_method = "notifications/claude/channel/permission_request";
constexpr std::string_view answer_method = "notifications/claude/channel/permission";
constexpr std::size_t id_letters = 5;
constexpr std::size_t max_preview_characters = 200;
constexpr std::size_t max_description_bytes = 4'000;
/// A host that asks for more at a time is not asking a person.
constexpr std::size_t max_open = 32;

bool is_prompt_id(std::string_view id) {
  return id.size() == id_letters && std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

enum class Decision { none, allowed, denied, closed };

/// What the platform says of the approval. Only the person's own decision allows or denies.
Decision decision_of(json::Value request, std::string_view request_id) {
  const std::string_view status = request["status"].string_or("");
  if (request["id"].string_or("") != request_id || request["kind"].string_or("") != "approval") {
    return Decision::none;
  }
  if (status == "pending" || status == "info_requested") return Decision::none;
  if (request["responder_type"].string_or("") != "user") return Decision::closed;
  if (status == "approved") return Decision::allowed;
  return status == "rejected" ? Decision::denied : Decision::closed;
}

std::string answer_params(std::string_view prompt_id, Decision decision) {
  json::Writer writer;
  {
    auto params = writer.object();
    params.field("request_id", prompt_id);
    params.field("behavior", decision == Decision::allowed ? "allow" : "deny");
  }
  return std::move(writer).take();
}

}  // namespace

PermissionRelay::PermissionRelay(Services& services, std::string session, Notify notify)
    : services_(services), session_(std::move(session)), notify_(std::move(notify)) {}

void PermissionRelay::received(std::string_view method, json::Value params) {
  if (method != asked_method) return;
  const std::string id(params["request_id"].string_or(""));
  const std::string_view tool = params["tool_name"].string_or("");
  if (!is_prompt_id(id) || tool.empty() || open_.contains(id) || open_.size() >= max_open) return;
  auto prompt = std::make_shared<Prompt>();
  prompt->id = id;
  prompt->key = random_uuid();
  prompt->tool_name = text::sanitize_name(tool);
  prompt->description = text::prefix_bytes(text::repair_utf8(params["description"].string_or("")),
                                           max_description_bytes);
  prompt->input_preview = text::prefix_characters(
      text::repair_utf8(params["input_preview"].string_or("")), max_preview_characters);
  prompt->asked_at = services_.clock.now();
  open_[id] = prompt;
  services_.tasks.spawn("permission prompt", relay(std::move(prompt)));
}

void PermissionRelay::agent_went_on() {
  const Clock::time_point now = services_.clock.now();
  for (const auto& [id, prompt] : open_) {
    // What the agent called beside the tool that needs the permission says nothing.
    if (now - prompt->asked_at >= services_.config.timing.prompt_settles) {
      prompt->answered_by_host = true;
    }
  }
}

bool PermissionRelay::is_over(const Prompt& prompt) const {
  return prompt.answered_by_host ||
         services_.clock.now() - prompt.asked_at >= services_.config.timing.prompt_lifetime;
}

awaitable<bool> PermissionRelay::create(std::shared_ptr<Prompt> prompt) {
  platform::NewRequest wanted;
  wanted.kind = "approval";
  wanted.title = fmt::format("Allow {}?", text::prefix_bytes(prompt->tool_name, 400));
  wanted.key = prompt->key;
  platform::NewRequest::Prompt shown{.prompt_id = prompt->id,
                                     .tool_name = prompt->tool_name,
                                     .description = prompt->description,
                                     .input_preview = prompt->input_preview,
                                     .session = session_};
  wanted.prompt = std::move(shown);
  auto made = co_await services_.workspaces.first().client.create_request(std::move(wanted));
  if (!made) {
    log::warning("the permission prompt {} is not on the platform: {}", prompt->id,
                 made.error().message);
    co_return false;
  }
  prompt->request_id = std::move(made->request_id);
  co_return true;
}

awaitable<bool> PermissionRelay::decided(std::shared_ptr<Prompt> prompt) {
  auto text = co_await services_.workspaces.first().client.request_thread(prompt->request_id);
  if (!text) co_return false;
  json::Document document;
  const auto thread = document.parse(*text);
  if (!thread) co_return false;
  const Decision decision = decision_of(thread.value()["request"], prompt->request_id);
  if (decision == Decision::none) co_return false;
  if (decision != Decision::closed && !is_over(*prompt)) {
    notify_(answer_method, answer_params(prompt->id, decision));
  }
  co_return true;
}

awaitable<bool> PermissionRelay::withdraw(std::shared_ptr<Prompt> prompt) {
  if (prompt->request_id.empty()) co_return true;
  auto cancelled = co_await services_.workspaces.first().client.cancel_request(prompt->request_id);
  if (cancelled || cancelled.error().code == platform::Errc::not_found) co_return true;
  log::debug("a permission prompt stays: {}", cancelled.error().message);
  co_return false;
}

awaitable<void> PermissionRelay::relay(std::shared_ptr<Prompt> prompt) {
  bool made = false;
  bool closed = false;
  while (!closed && !is_over(*prompt)) {
    if (!made) made = co_await create(prompt);
    if (made) closed = co_await decided(prompt);
    if (closed) break;
    co_await sleep_for(services_.clock, services_.config.timing.prompt_check);
  }
  while (!closed) {
    closed = co_await withdraw(prompt);
    if (!closed) co_await sleep_for(services_.clock, services_.config.timing.prompt_check);
  }
  open_.erase(prompt->id);
}

awaitable<void> PermissionRelay::withdraw_all() {
  std::vector<std::shared_ptr<Prompt>> prompts;
  for (const auto& [id, prompt] : open_) prompts.push_back(prompt);
  for (const std::shared_ptr<Prompt>& prompt : prompts) {
    [[maybe_unused]] const bool done = co_await withdraw(prompt);
  }
}

}  // namespace molecule::tools
