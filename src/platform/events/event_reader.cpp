#include "platform/events/event_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json/reader.hpp"
#include "base/text/text.hpp"
#include "platform/client.hpp"

namespace molecule::platform {

namespace {

/// Until the head of the response.
constexpr std::chrono::seconds open_timeout(10);

std::optional<Event> read_event(const std::string& data) {
  json::Document document;
  const auto parsed = document.parse(data);
  if (!parsed.ok() || !(*parsed)["type"].is_string()) return std::nullopt;
  Event event;
  event.type = (*parsed)["type"].string_or("");
  event.activity_type = (*parsed)["data"]["activity_type"].string_or("");
  return event;
}

bool is_event_stream(const net::HttpResponse& response) {
  const std::string type = text::lower(response.header("Content-Type").value_or(""));
  return response.status == 200 && text::trim(type.substr(0, type.find(';'))) == event_stream_type;
}

}  // namespace

awaitable<Outcome<EventReader::News>> EventReader::next(Clock::duration patience) {
  auto piece = co_await stream_.read(patience);
  if (!piece) {
    Outcome<News> ended = Failure{transport_error(site_, piece.error())};
    co_return ended;
  }
  News news;
  news.alive = !piece->empty();
  for (const std::string& data : parser_.take(*piece)) {
    if (std::optional<Event> event = read_event(data)) {
      news.events.push_back(*std::move(event));
    } else {
      news.unknown = true;
    }
  }
  news.unknown = news.unknown || parser_.skipped() != skipped_;
  skipped_ = parser_.skipped();
  Outcome<News> outcome = std::move(news);
  co_return outcome;
}

awaitable<Outcome<EventReader>> Client::events_stream() {
  net::HttpRequest get = request("GET", own_path("/events/stream"));
  std::erase_if(get.headers, [](const auto& header) { return header.name == "Accept"; });
  get.headers.push_back({"Accept", std::string(event_stream_type)});
  get.total_timeout = std::min<std::chrono::milliseconds>(open_timeout, endpoint_.max_call_timeout);
  Site site = site_of(get);
  for (bool renewed = false;; renewed = true) {
    net::HttpStream stream(http_);
    auto response = co_await stream.open(get);
    if (response && is_event_stream(*response)) {
      Outcome<EventReader> opened = EventReader(std::move(stream), std::move(site));
      co_return opened;
    }
    Error error = refused_stream(site, std::move(response));
    const bool rejected = error.code == Errc::unauthorized && !renewed;
    if (!rejected || !renew_ || !renew_(site.secret)) {
      Outcome<EventReader> failed = Failure{std::move(error)};
      co_return failed;
    }
    authorize(get);
    site.secret = token_();
  }
}

}  // namespace molecule::platform
