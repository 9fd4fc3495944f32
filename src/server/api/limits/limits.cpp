#include "server/api/limits/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

struct Named {
  std::string_view name;
  std::int64_t Limits::* value;
  std::int64_t min;
};

// Zero means "any number" only for the rates: a quota of nothing would be a broken platform.
constexpr std::array<Named, 13> all{{
    {"requests-per-minute", &Limits::requests_per_minute, 0},
    {"client-requests-per-minute", &Limits::client_requests_per_minute, 0},
    {"key-value-bytes", &Limits::key_value_bytes, 1},
    {"memory-bytes", &Limits::memory_bytes, 1},
    {"message-bytes", &Limits::message_bytes, 1},
    {"file-bytes", &Limits::file_bytes, 1},
    {"files", &Limits::files, 1},
    {"tokens", &Limits::tokens, 1},
    {"sender-messages", &Limits::sender_messages, 1},
    {"sender-bytes", &Limits::sender_bytes, 1},
    {"acked-days", &Limits::acked_days, 1},
    {"message-days", &Limits::message_days, 1},
    {"event-days", &Limits::event_days, 1},
}};

/// The product must fit, or the limit would be a negative one.
std::optional<std::int64_t> parse_amount(std::string_view text) {
  constexpr std::int64_t max = std::int64_t{1} << 50;
  int shift = 0;
  if (text.ends_with('K') || text.ends_with('k')) shift = 10;
  if (text.ends_with('M') || text.ends_with('m')) shift = 20;
  if (text.ends_with('G') || text.ends_with('g')) shift = 30;
  if (shift > 0) text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > (max >> shift)) return std::nullopt;
  return value << shift;
}

}  // namespace

std::optional<std::string> set_limit(Limits& limits, std::string_view name,
                                     std::string_view value) {
  const auto found =
      std::ranges::find_if(all, [name](const Named& named) { return named.name == name; });
  if (found == all.end()) {
    std::string text = fmt::format("no limit is called \"{}\"; there are", name);
    for (const Named& named : all) text.append(" ").append(named.name);
    return text;
  }
  const std::optional<std::int64_t> amount = parse_amount(value);
  if (!amount || *amount < found->min) {
    return fmt::format("{}: \"{}\" is not a whole number of at least {} (K, M and G may follow)",
                       name, value, found->min);
  }
  limits.*(found->value) = *amount;
  return std::nullopt;
}

std::optional<std::string> read_limits(Limits& limits, std::string_view text) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) {
      return fmt::format("line {}: not of the form NAME = VALUE", number);
    }
    const auto problem =
        set_limit(limits, text::trim(line.substr(0, sign)), text::trim(line.substr(sign + 1)));
    if (problem) return fmt::format("line {}: {}", number, *problem);
  }
  return std::nullopt;
}

std::string describe_limits(const Limits& limits) {
  std::string text;
  for (const Named& named : all) {
    text += fmt::format("  {} = {}\n", named.name, limits.*(named.value));
  }
  return text;
}

}  // namespace molecule::server
