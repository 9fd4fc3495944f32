#include "mcp/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "base/text/text.hpp"
#include "mcp/offers/catalog.hpp"

namespace molecule::mcp {

namespace {

/// After a longer text, the parsed document's memory is released.
constexpr std::size_t max_kept_text = std::size_t{1} << 20;

bool has_value(const json::Value& value) {
  return value.present() && !value.is_null();
}

encode::Error invalid_params(std::string message) {
  return {.code = code::invalid_params, .message = std::move(message)};
}

encode::Error invalid_request(std::string message) {
  return {.code = code::invalid_request, .message = std::move(message)};
}

bool always(const ServerInfo&) {
  return true;
}

}  // namespace

Dispatcher::Dispatcher(std::shared_ptr<const ServerInfo> server,
                       std::shared_ptr<OutputQueue> output, std::shared_ptr<Calls> calls,
                       Limits limits, OnInitialized on_initialized)
    : server_(std::move(server)),
      output_(std::move(output)),
      calls_(std::move(calls)),
      limits_(limits),
      on_initialized_(std::move(on_initialized)),
      subscriptions_(server_, output_, limits) {
  [[maybe_unused]] const auto parsed = empty_object_.parse("{}");
}

const Dispatcher::Method* Dispatcher::find_method(std::string_view name) {
  static constexpr std::array methods{
      Method{"tools/call", &Dispatcher::call_tool, Availability::always, has_tools},
      Method{"ping", &Dispatcher::ping, Availability::negotiated_only, always},
      Method{"tools/list", &Dispatcher::list_tools, Availability::always, has_tools},
      Method{"initialize", &Dispatcher::initialize, Availability::negotiated_only, always},
      Method{"server/discover", &Dispatcher::discover, Availability::stateless_only, always},
      Method{"resources/list", &Dispatcher::list_resources, Availability::always, has_resources},
      Method{"resources/templates/list", &Dispatcher::list_resource_templates, Availability::always,
             has_resources},
      Method{"resources/read", &Dispatcher::read_resource, Availability::always, has_resources},
      Method{"resources/subscribe", &Dispatcher::subscribe, Availability::negotiated_only,
             has_updates},
      Method{"resources/unsubscribe", &Dispatcher::unsubscribe, Availability::negotiated_only,
             has_updates},
      Method{"subscriptions/listen", &Dispatcher::listen, Availability::stateless_only,
             has_updates},
      Method{"prompts/list", &Dispatcher::list_prompts, Availability::always, has_prompts},
      Method{"prompts/get", &Dispatcher::get_prompt, Availability::always, has_prompts},
      Method{"completion/complete", &Dispatcher::complete, Availability::always, has_completions},
      Method{"logging/setLevel", &Dispatcher::set_log_level, Availability::negotiated_only,
             has_logging}};
  const auto* const found = std::ranges::find(methods, name, &Method::name);
  return found == methods.end() ? nullptr : found;
}

void Dispatcher::dispatch(const Line& line) {
  if (line.too_long) {
    return fail("null", nullptr,
                invalid_request("The line is longer than " + std::to_string(limits_.line_bytes) +
                                " bytes"));
  }
  handle(line.text, nullptr);
  if (line.text.size() > max_kept_text) document_ = json::Document();
}

void Dispatcher::handle(std::string_view text, const BatchPointer& batch) {
  const Message message = read_message(document_, text);
  switch (message.shape) {
    case Shape::request:
      return handle_request(message, batch);
    case Shape::notification:
      return handle_notification(message);
    case Shape::response:
      return calls_->questions().answered(message, document_);
    case Shape::batch:
      return handle_batch(text, batch);
    case Shape::invalid:
      break;
  }
  fail(message.id, batch, {.code = message.code, .message = std::string(message.problem)});
}

void Dispatcher::handle_batch(std::string_view text, const BatchPointer& outer) {
  if (outer) return fail("null", outer, invalid_request("A batch cannot hold a batch"));
  if (!negotiated_ || !has_batches(terms_.revision)) {
    return fail("null", nullptr, invalid_request("Batches are not part of this revision"));
  }
  const std::vector<std::string_view> elements = split_array(text);
  if (elements.empty()) return fail("null", nullptr, invalid_request("The batch is empty"));
  if (elements.size() > limits_.concurrent_calls) {
    return fail("null", nullptr,
                invalid_request("The batch has more than " +
                                std::to_string(limits_.concurrent_calls) + " messages"));
  }
  const auto batch = std::make_shared<Batch>();
  for (const std::string_view element : elements) handle(element, batch);
  calls_->close(*batch);
}

Result<Envelope, encode::Error> Dispatcher::terms_of(const Message& message) const {
  if (server_->era == Era::initialize_only) return terms_;
  const json::Value version = version_member(message);
  if (message.method == "initialize" && version.string_or({}) != stateless_version) {
    if (server_->era == Era::automatic) return terms_;
    return Failure{unsupported_version(message.params["protocolVersion"].string_or({}))};
  }
  const bool negotiated = !version.present() && message.method != "server/discover";
  if (negotiated && server_->era == Era::automatic) return terms_;
  return read_envelope(message);
}

void Dispatcher::handle_request(const Message& message, const BatchPointer& batch) {
  const Method* const method = find_method(message.method);
  if (method == nullptr || !method->offered(*server_)) return fail_unknown_method(message, batch);
  if (has_value(message.params) && !message.params.is_object()) {
    return fail(message.id, batch, invalid_params("`params` must be an object"));
  }
  const auto terms = terms_of(message);
  if (!terms) return fail(message.id, batch, terms.error());
  const Request request{.message = message, .batch = batch, .envelope = *terms};
  const Availability unavailable =
      request.stateless() ? Availability::negotiated_only : Availability::stateless_only;
  if (method->availability == unavailable) return fail_unknown_method(message, batch);
  if (batch && request.stateless()) {
    return fail(request, invalid_request("Batches are not part of this revision"));
  }
  if (calls_->size() > 0 || !subscriptions_.empty()) {
    const std::string key = id_key(message.id_value);
    if (calls_->contains(key) || subscriptions_.contains(key)) {
      return fail(request, invalid_request("A request with this id is already in flight"));
    }
  }
  (this->*method->handle)(request);
}

void Dispatcher::handle_notification(const Message& message) {
  if (message.method == "notifications/cancelled") {
    const std::string key = id_key(message.params["requestId"]);
    if (key.empty()) return;
    calls_->cancel(key);
    subscriptions_.cancel(key);
  } else if (message.method == "notifications/initialized" && negotiated_ && !initialized_) {
    initialized_ = true;
    if (on_initialized_) on_initialized_(client_);
  } else if (initialized_ && on_notification) {
    on_notification(message.method, message.params);
  }
}

void Dispatcher::ping(const Request& request) {
  succeed(request, "{}");
}

void Dispatcher::initialize(const Request& request) {
  const json::Value params = request.message.params;
  if (request.batch) {
    return fail(request, invalid_request("`initialize` cannot be part of a batch"));
  }
  const json::Value requested = params["protocolVersion"];
  if (has_value(requested) && !requested.is_string()) {
    return fail(request, invalid_params("`protocolVersion` must be a string"));
  }
  terms_.revision = negotiate(requested.string_or({}));
  terms_.host = read_capabilities(params["capabilities"]);
  const json::Value info = params["clientInfo"];
  client_.name = text::sanitize_name(info["name"].string_or({}));
  client_.version = text::sanitize_name(info["version"].string_or({}));
  client_.protocol_version = name_of(terms_.revision);
  negotiated_ = true;
  initialized_ = false;
  succeed(request, encode::initialize_result(*server_, terms_.revision));
}

void Dispatcher::discover(const Request& request) {
  const auto& fallback = server_->initialize_hosts;
  const bool falls_back =
      std::ranges::find(fallback, client_name(request.message)) != fallback.end();
  if (server_->era == Era::automatic && falls_back) {
    return fail_unknown_method(request.message, request.batch);
  }
  // Private: the instructions may reveal which workspaces this server serves.
  succeed(request, encode::discover_result(*server_),
          encode::cache_members({.ttl_ms = 0, .is_public = false}));
}

void Dispatcher::set_log_level(const Request& request) {
  const auto level = read_log_level(request.message.params["level"]);
  if (!level) return fail(request, invalid_params("`level` must be a log level"));
  calls_->log_level = *level;
  succeed(request, "{}");
}

void Dispatcher::subscribe(const Request& request) {
  const auto uri = request.message.params["uri"].string();
  if (!uri) return fail(request, invalid_params("`uri` must be a string"));
  if (!find_resource(*server_, *uri)) return fail_not_found(request, *uri);
  if (!subscriptions_.subscribe(*uri)) {
    return fail(request, {.code = code::too_many, .message = "Too many subscriptions"});
  }
  succeed(request, "{}");
}

void Dispatcher::unsubscribe(const Request& request) {
  const auto uri = request.message.params["uri"].string();
  if (!uri) return fail(request, invalid_params("`uri` must be a string"));
  subscriptions_.unsubscribe(*uri);
  succeed(request, "{}");
}

void Dispatcher::listen(const Request& request) {
  const auto error = subscriptions_.listen(request.message);
  if (error) fail(request, *error);
}

void Dispatcher::fail_unknown_method(const Message& message, const BatchPointer& batch) {
  fail(message.id, batch,
       {.code = code::method_not_found,
        .message = "Method not found: " + text::sanitize_name(message.method)});
}

void Dispatcher::succeed(const Request& request, std::string result, std::string_view members) {
  if (request.stateless()) calls_->stamp(result, members);
  answer_.clear();
  encode::append_result(answer_, request.message.id, result);
  calls_->answer(request.batch.get(), answer_);
}

void Dispatcher::fail(const Request& request, const encode::Error& error) {
  fail(request.message.id, request.batch, error);
}

void Dispatcher::fail(std::string_view id, const BatchPointer& batch, const encode::Error& error) {
  answer_.clear();
  encode::append_error(answer_, id, error);
  calls_->answer(batch.get(), answer_);
}

}  // namespace molecule::mcp
