#include "mcp/dispatcher.hpp"

#include <set>
#include <stdexcept>
#include <utility>

#include "molecule/base/json_writer.hpp"
#include "molecule/base/text.hpp"

namespace molecule::mcp {

namespace {

/// A document that held a longer text gives its memory back.
constexpr std::size_t kept_text = std::size_t{1} << 20;

/// Makes every JSON text of the server fit on a line.
ServerInfo checked(ServerInfo server) {
  std::set<std::string_view> names;
  for (Tool& tool : server.tools) {
    if (!names.insert(tool.name).second) {
      throw std::invalid_argument("two tools are named " + tool.name);
    }
    tool.input_schema = encode::one_line_object(tool.input_schema, tool.name + ": input schema");
    if (!tool.output_schema.empty()) {
      tool.output_schema =
          encode::one_line_object(tool.output_schema, tool.name + ": output schema");
    }
    if (!tool.meta.empty()) tool.meta = encode::one_line_object(tool.meta, tool.name + ": _meta");
  }
  if (!server.experimental.empty()) {
    server.experimental = encode::one_line_object(server.experimental, "experimental");
  }
  return server;
}

bool given(const json::Value& value) {
  return value.present() && !value.is_null();
}

encode::Error invalid_params(std::string message) {
  return {.code = code::invalid_params, .message = std::move(message)};
}

encode::Error invalid_request(std::string message) {
  return {.code = code::invalid_request, .message = std::move(message)};
}

encode::Error unsupported_version(std::string_view requested) {
  json::Writer data;
  {
    auto members = data.object();
    members.raw("supported", revision_names());
    members.field("requested", requested);
  }
  return {.code = code::unsupported_version,
          .message = "Unsupported protocol version",
          .data = std::move(data).take()};
}

}  // namespace

Dispatcher::Dispatcher(ServerInfo server, std::shared_ptr<OutputQueue> output,
                       std::shared_ptr<Calls> calls, Limits limits, OnInitialized on_initialized)
    : server_(std::make_shared<const ServerInfo>(checked(std::move(server)))),
      output_(std::move(output)),
      calls_(std::move(calls)),
      limits_(limits),
      on_initialized_(std::move(on_initialized)) {
  [[maybe_unused]] const auto parsed = empty_object_.parse("{}");
}

void Dispatcher::dispatch(const Line& line) {
  if (line.too_long) {
    return fail("null", nullptr,
                invalid_request("The line is longer than " + std::to_string(limits_.line_bytes) +
                                " bytes"));
  }
  handle(line.text, nullptr);
  if (line.text.size() > kept_text) document_ = json::Document();
}

void Dispatcher::handle(std::string_view text, const BatchPointer& batch) {
  const Message message = read_message(document_, text);
  switch (message.shape) {
    case Shape::request:
      return handle_request(message, batch);
    case Shape::notification:
      return handle_notification(message);
    case Shape::response:
      return;  // Nothing was asked.
    case Shape::batch:
      return handle_batch(text, batch);
    case Shape::invalid:
      break;
  }
  fail(message.id, batch, {.code = message.code, .message = std::string(message.problem)});
}

void Dispatcher::handle_batch(std::string_view text, const BatchPointer& outer) {
  if (outer) return fail("null", outer, invalid_request("A batch cannot hold a batch"));
  if (!negotiated_ || !has_batches(revision_)) {
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

void Dispatcher::handle_request(const Message& message, const BatchPointer& batch) {
  using Handler = void (Dispatcher::*)(const Message&, const BatchPointer&);
  Handler handler = nullptr;
  if (message.method == "tools/call") handler = &Dispatcher::call_tool;
  if (message.method == "tools/list") handler = &Dispatcher::list_tools;
  if (message.method == "initialize") handler = &Dispatcher::initialize;
  const bool ping = message.method == "ping";
  if (handler == nullptr && !ping) {
    return fail(message.id, batch,
                {.code = code::method_not_found,
                 .message = "Method not found: " + text::sanitize_name(message.method)});
  }
  if (given(message.params) && !message.params.is_object()) {
    return fail(message.id, batch, invalid_params("`params` must be an object"));
  }
  if (era_of(message) == Era::stateless) {
    return fail(message.id, batch, unsupported_version(requested_version(message)));
  }
  if (calls_->size() > 0 && calls_->contains(id_key(message.id_value))) {
    return fail(message.id, batch, invalid_request("A call with this id is in flight"));
  }
  if (ping) return succeed(message, batch, "{}");
  (this->*handler)(message, batch);
}

void Dispatcher::handle_notification(const Message& message) {
  if (message.method == "notifications/cancelled") {
    const std::string key = id_key(message.params["requestId"]);
    if (!key.empty()) calls_->cancel(key);
  } else if (message.method == "notifications/initialized" && negotiated_ && !initialized_) {
    initialized_ = true;
    if (on_initialized_) on_initialized_(client_);
  }
}

void Dispatcher::initialize(const Message& message, const BatchPointer& batch) {
  if (batch) {
    return fail(message.id, batch, invalid_request("`initialize` cannot be part of a batch"));
  }
  const json::Value requested = message.params["protocolVersion"];
  if (given(requested) && !requested.is_string()) {
    return fail(message.id, batch, invalid_params("`protocolVersion` must be a string"));
  }
  revision_ = negotiate(requested.string_or({}));
  const json::Value info = message.params["clientInfo"];
  client_.name = text::sanitize_name(info["name"].string_or({}));
  client_.version = text::sanitize_name(info["version"].string_or({}));
  client_.protocol_version = name_of(revision_);
  negotiated_ = true;
  initialized_ = false;
  succeed(message, batch, encode::initialize_result(*server_, revision_));
}

void Dispatcher::list_tools(const Message& message, const BatchPointer& batch) {
  // The list has one page, so no cursor was ever given out.
  if (given(message.params["cursor"])) {
    return fail(message.id, batch, invalid_params("Unknown cursor"));
  }
  std::string& list = tool_lists_.at(static_cast<std::size_t>(revision_));
  if (list.empty()) list = encode::tool_list(*server_, revision_);
  succeed(message, batch, list);
}

void Dispatcher::call_tool(const Message& message, const BatchPointer& batch) {
  const auto name = message.params["name"].string();
  if (!name) return fail(message.id, batch, invalid_params("`name` must be a string"));
  json::Value arguments = message.params["arguments"];
  if (!given(arguments)) arguments = empty_object_.root();
  if (!arguments.is_object()) {
    return fail(message.id, batch, invalid_params("`arguments` must be an object"));
  }
  for (const Tool& tool : server_->tools) {
    if (tool.name != *name) continue;
    CallRequest request{.tool = std::shared_ptr<const Tool>(server_, &tool),
                        .revision = revision_,
                        .id = message.id,
                        .key = id_key(message.id_value),
                        .document = std::move(document_),
                        .params = message.params,
                        .arguments = arguments,
                        .batch = batch};
    return calls_->start(std::move(request));
  }
  fail(message.id, batch, invalid_params("Unknown tool: " + text::sanitize_name(*name)));
}

void Dispatcher::succeed(const Message& message, const BatchPointer& batch,
                         std::string_view result) {
  answer_.clear();
  encode::append_result(answer_, message.id, result);
  calls_->answer(batch.get(), answer_);
}

void Dispatcher::fail(std::string_view id, const BatchPointer& batch, const encode::Error& error) {
  answer_.clear();
  encode::append_error(answer_, id, error);
  calls_->answer(batch.get(), answer_);
}

}  // namespace molecule::mcp
