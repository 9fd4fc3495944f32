#include "server/api/instances/shared_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/reader.hpp"
#include "server/api/events/event_rows.hpp"

namespace molecule::server {

namespace {

using Subject = Instances::Subject;

constexpr std::chrono::seconds rates_interval{1};

/// `NAME NUMBER`; the number is 0 for anything else.
std::pair<std::string, std::int64_t> named_number(std::string_view text) {
  const std::size_t blank = std::min(text.find(' '), text.size());
  const std::string_view digits = text.substr(std::min(blank + 1, text.size()));
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || end != digits.data() + digits.size()) number = 0;
  return {std::string(text.substr(0, blank)), number};
}

void raise(std::map<std::string, std::int64_t, std::less<>>& marks, const std::string& workspace,
           std::int64_t seq) {
  std::int64_t& mark = marks[workspace];
  mark = std::max(mark, seq);
}

/// An event tells this process too how far an agent has come.
void note_mark(Services& services, const EventFrame& frame) {
  if (frame.type != "MESSAGE_FETCHED") return;
  json::Document document;
  const auto payload = document.parse(frame.payload);
  if (!payload) return;
  raise(services.handed_out, frame.workspace_id, payload.value()["seq"].integer().value_or(0));
}

}  // namespace

void hear_instances(Services& services, SharedEvents& events) {
  Instances& instances = services.events.instances();
  instances.on(Subject::rows, [&events](std::string_view) { events.look(); });
  instances.on(Subject::event, [&services, &events](std::string_view text) {
    std::optional<EventFrame> frame = decode_event(text);
    if (!frame) return;
    note_mark(services, *frame);
    events.add(*std::move(frame));
  });
  instances.on(Subject::fetched, [&services](std::string_view text) {
    const auto [workspace, seq] = named_number(text);
    raise(services.fetched, workspace, seq);
  });
  instances.on(Subject::rates, [&services](std::string_view text) {
    const auto [key, requests] = named_number(text);
    if (requests > 0) services.rates.add({.key = key, .requests = requests});
  });
}

awaitable<void> tell_rates(Services& services) {
  while (true) {
    co_await sleep_for(services.clock, rates_interval);
    const Limits& limits = services.limits;
    for (const RequestRates::Share& share :
         services.rates.take_news(limits.requests_per_minute, limits.client_requests_per_minute)) {
      services.events.instances().tell(Subject::rates,
                                       fmt::format("{} {}", share.key, share.requests));
    }
  }
}

}  // namespace molecule::server
