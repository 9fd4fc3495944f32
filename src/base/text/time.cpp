#include "base/text/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace molecule {

namespace {

using std::chrono::microseconds;

/// The range of `WallTime`, which counts nanoseconds.
constexpr int first_year = 1678;
constexpr int last_year = 2261;

/// Reads exactly `digits` digits at `at` and advances it; -1 if they are not there.
int number_at(std::string_view text, std::size_t& at, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool skip(std::string_view text, std::size_t& at, char expected) {
  if (at >= text.size() || text[at] != expected) return false;
  ++at;
  return true;
}

/// Microseconds; -1 without digits.
std::int64_t fraction_at(std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    micros += unit * (text[at++] - '0');
    unit /= 10;
  }
  return at == start ? -1 : micros;
}

std::optional<int> offset_minutes_at(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return std::nullopt;
  const char sign = text[at++];
  if (sign == 'Z' || sign == 'z') return 0;
  if (sign != '+' && sign != '-') return std::nullopt;
  const int hours = number_at(text, at, 2);
  if (hours < 0 || hours > 23 || !skip(text, at, ':')) return std::nullopt;
  const int minutes = number_at(text, at, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string format_rfc3339(WallTime time) {
  const std::int64_t micros = to_micros(time);
  std::int64_t seconds = micros / 1'000'000;
  std::int64_t fraction = micros % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --seconds;
  }
  const std::time_t when = seconds;
  std::tm parts{};
  gmtime_r(&when, &parts);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction != 0) {
    out += fmt::format(".{:06}", fraction);
    while (out.back() == '0') out.pop_back();
  }
  return out + 'Z';
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  const int year = number_at(text, at, 4);
  if (year < first_year || year > last_year || !skip(text, at, '-')) return std::nullopt;
  const int month = number_at(text, at, 2);
  if (month < 1 || month > 12 || !skip(text, at, '-')) return std::nullopt;
  const int day = number_at(text, at, 2);
  const bool separated =
      at < text.size() && (text[at] == 'T' || text[at] == 't' || text[at] == ' ');
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (day < 1 || !date.ok() || !separated) return std::nullopt;
  ++at;
  const int hour = number_at(text, at, 2);
  if (hour < 0 || hour > 23 || !skip(text, at, ':')) return std::nullopt;
  const int minute = number_at(text, at, 2);
  if (minute < 0 || minute > 59 || !skip(text, at, ':')) return std::nullopt;
  const int second = number_at(text, at, 2);
  if (second < 0 || second > 60) return std::nullopt;
  const std::int64_t fraction = skip(text, at, '.') ? fraction_at(text, at) : 0;
  const std::optional<int> offset = offset_minutes_at(text, at);
  if (fraction < 0 || !offset || at != text.size()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) +
         microseconds(fraction);
}

std::int64_t to_micros(WallTime time) {
  return std::chrono::floor<microseconds>(time).time_since_epoch().count();
}

WallTime from_micros(std::int64_t micros) {
  constexpr auto min = std::chrono::ceil<microseconds>(WallTime::min().time_since_epoch());
  constexpr auto max = std::chrono::floor<microseconds>(WallTime::max().time_since_epoch());
  return WallTime(std::clamp(microseconds(micros), min, max));
}

}  // namespace molecule
