#include "mcp/offers/subscriptions.hpp"

#include <utility>

#include "base/json/writer.hpp"
#include "mcp/offers/catalog.hpp"

namespace molecule::mcp {

namespace {

constexpr std::string_view stream_key = "io.modelcontextprotocol/subscriptionId";

encode::Error invalid(std::string message) {
  return {.code = code::invalid_params, .message = std::move(message)};
}

encode::Error too_many(std::string message) {
  return {.code = code::too_many, .message = std::move(message)};
}

}  // namespace

Subscriptions::Subscriptions(std::shared_ptr<const ServerInfo> server,
                             std::shared_ptr<OutputQueue> output, Limits limits)
    : server_(std::move(server)), output_(std::move(output)), limits_(limits) {}

bool Subscriptions::subscribe(std::string_view uri) {
  if (subscribed_.contains(uri)) return true;
  if (subscribed_.size() >= limits_.subscribed_resources) return false;
  subscribed_.emplace(uri);
  return true;
}

void Subscriptions::unsubscribe(std::string_view uri) {
  const auto found = subscribed_.find(uri);
  if (found != subscribed_.end()) subscribed_.erase(found);
}

std::optional<encode::Error> Subscriptions::listen(const Message& message) {
  const json::Value wanted = message.params["notifications"];
  if (!wanted.is_object()) return invalid("`notifications` must be an object");
  if (streams_.size() >= limits_.concurrent_listens) {
    return too_many("Too many subscriptions: the limit is " +
                    std::to_string(limits_.concurrent_listens));
  }
  const json::Value uris = wanted["resourceSubscriptions"];
  if (uris.present() && !uris.is_array()) {
    return invalid("`resourceSubscriptions` must be an array");
  }
  Stream stream{.id = message.id, .uris = {}};
  for (const json::Value& item : uris.items()) {
    const auto uri = item.string();
    if (!uri) return invalid("`resourceSubscriptions` must hold strings");
    if (stream.uris.size() >= limits_.subscribed_resources) {
      return too_many("Too many `resourceSubscriptions`");
    }
    if (find_resource(*server_, *uri)) stream.uris.emplace(*uri);
  }
  json::Writer params;
  {
    auto members = params.object();
    {
      auto meta = members.object("_meta");
      meta.raw(stream_key, stream.id);
    }
    auto honoured = members.object("notifications");
    if (!stream.uris.empty()) {
      auto list = honoured.array("resourceSubscriptions");
      for (const std::string& uri : stream.uris) list.value(uri);
    }
  }
  output_->send(encode::notification("notifications/subscriptions/acknowledged", params.text()));
  streams_.emplace(id_key(message.id_value), std::move(stream));
  return std::nullopt;
}

void Subscriptions::updated(std::string_view uri, bool initialized) {
  if (initialized && subscribed_.contains(uri)) send_updated(uri, {});
  for (const auto& [key, stream] : streams_) {
    if (stream.uris.contains(uri)) send_updated(uri, stream.id);
  }
}

void Subscriptions::send_updated(std::string_view uri, std::string_view stream_id) {
  if (output_->queued() > limits_.queued_output_bytes) return;
  json::Writer params;
  {
    auto members = params.object();
    if (!stream_id.empty()) {
      auto meta = members.object("_meta");
      meta.raw(stream_key, stream_id);
    }
    members.field("uri", uri);
  }
  output_->send(encode::notification("notifications/resources/updated", params.text()));
  output_->flush_soon();
}

void Subscriptions::end_all() {
  for (const auto& [key, stream] : std::exchange(streams_, {})) {
    json::Writer result;
    {
      auto members = result.object();
      members.field("resultType", "complete");
      auto meta = members.object("_meta");
      meta.raw(stream_key, stream.id);
    }
    std::string answer;
    encode::append_result(answer, stream.id, result.text());
    output_->send(answer);
  }
}

}  // namespace molecule::mcp
