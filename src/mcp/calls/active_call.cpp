#include <cmath>
#include <utility>

#include "mcp/calls/calls.hpp"
#include "mcp/wire/encode.hpp"

namespace molecule::mcp {

std::string purpose_of(const Work& work) {
  if (const auto* tool = std::get_if<std::shared_ptr<const Tool>>(&work)) {
    return "tools/call " + (*tool)->name;
  }
  if (const auto* prompt = std::get_if<std::shared_ptr<const Prompt>>(&work)) {
    return "prompts/get " + (*prompt)->name;
  }
  const auto* reading = std::get_if<Reading>(&work);
  return reading == nullptr ? "completion/complete" : "resources/read " + reading->uri;
}

ActiveCall::ActiveCall(CallRequest request, Calls& calls)
    : request_(std::move(request)), calls_(calls) {
  const json::Value token = request_.params["_meta"]["progressToken"];
  const bool usable = token.is_string() || token.type() == json::Type::integer;
  if (usable) progress_token_ = token.dump();
}

std::optional<std::string_view> ActiveCall::meta(std::string_view key) const {
  return request_.params["_meta"][key].string();
}

void ActiveCall::progress(double progress, std::optional<double> total, std::string_view message) {
  if (progress_token_.empty() || cancelled_ || !std::isfinite(progress)) return;
  if (last_progress_ && progress <= *last_progress_) return;
  last_progress_ = progress;
  if (total && !std::isfinite(*total)) total.reset();
  const encode::Progress report{.progress = progress, .total = total, .message = message};
  calls_.send_notice(
      encode::notification("notifications/progress",
                           encode::progress(progress_token_, report, request_.envelope.revision)));
}

void ActiveCall::log(LogLevel level, std::string_view logger, std::string_view text) {
  if (cancelled_ || !calls_.server().logging) return;
  if (!stateless()) return calls_.log(level, logger, text);
  const std::optional<LogLevel>& min_level = request_.envelope.log_level;
  if (min_level && level >= *min_level) {
    calls_.send_notice(encode::log_message(level, logger, text));
  }
}

bool ActiveCall::host_can(std::string_view capability) const {
  return request_.envelope.host.has(capability);
}

json::Value ActiveCall::input(std::string_view key) const {
  if (stateless()) return request_.params["inputResponses"][key];
  const auto found = answers_.find(key);
  return found == answers_.end() ? json::Value() : found->second.root()["result"];
}

void ActiveCall::next_round(Round& round, const std::string& state) {
  answers_ = std::exchange(round.answers, {});
  request_.state = state;
}

}  // namespace molecule::mcp
