#include "daemon/runners/webhook.hpp"

#include <fmt/format.h>

#include "base/files/files.hpp"
#include "base/sha256.hpp"
#include "base/text/text.hpp"

namespace molecule::daemon {

namespace {

using Outcome = TurnResult::Outcome;

TurnResult refused(std::string reason) {
  TurnResult result;
  result.reason = std::move(reason);
  return result;
}

TurnResult read_response(const net::HttpResponse& response) {
  if (response.status == 202) return {.outcome = Outcome::accepted};
  if (response.status == 204) return {.outcome = Outcome::empty};
  if (response.status < 200 || response.status > 299) {
    return refused(fmt::format("the webhook answered with status {}", response.status));
  }
  json::Document document;
  const auto parsed = document.parse(response.body);
  if (parsed && parsed->is_object()) return answered((*parsed)["text"].string_or(""), {});
  return answered(response.body, {});
}

}  // namespace

awaitable<TurnResult> call_webhook(net::HttpClient& http, std::shared_ptr<const Turn> turn) {
  const HandlerSettings& settings = turn->settings;
  net::HttpRequest request;
  request.method = "POST";
  request.url = settings.url;
  request.body = message_json(turn->incoming);
  request.total_timeout = settings.deadline;
  request.max_response_bytes = max_answer_bytes;
  request.headers = {{"Content-Type", "application/json"},
                     {"X-Molecule-Activity", turn->incoming.message.activity_id}};
  TurnResult result;
  if (!settings.secret_file.empty()) {
    const auto secret = files::read(settings.secret_file, 1 << 16, files::Links::follow);
    if (!secret) {
      result = refused(secret.error().message);
      co_return result;
    }
    const std::string_view key = text::trim(*secret);
    request.headers.push_back({"X-Molecule-Signature", "sha256=" + hmac_sha256(key, request.body)});
  }
  auto response = co_await http.send(std::move(request));
  result = response ? read_response(*response)
                    : refused("the webhook gave no answer: " + response.error().message);
  co_return result;
}

}  // namespace molecule::daemon
