#include "platform/events/event_parser.hpp"

#include <utility>

namespace molecule::platform {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

std::vector<std::string> EventParser::take(std::string_view piece) {
  std::vector<std::string> events;
  for (const char character : piece) take_character(character, events);
  return events;
}

void EventParser::take_character(char character, std::vector<std::string>& events) {
  if (mark_bytes_ < byte_order_mark.size()) {
    if (character == byte_order_mark[mark_bytes_]) {
      ++mark_bytes_;
      return;
    }
    line_.append(byte_order_mark.substr(0, mark_bytes_));
    mark_bytes_ = byte_order_mark.size();
  }
  const bool second_half = std::exchange(after_cr_, character == '\r') && character == '\n';
  if (second_half) return;
  if (character == '\r' || character == '\n') return end_line(events);
  if (line_.size() + data_.size() >= max_bytes_) {
    // The beginning still says whether the line is a comment.
    line_cut_ = true;
    return;
  }
  line_ += character;
}

void EventParser::end_line(std::vector<std::string>& events) {
  const bool cut = std::exchange(line_cut_, false);
  if (line_.empty() && !cut) return end_event(events);
  if (line_.starts_with(':')) {
    ++comments_;
  } else {
    too_long_ = too_long_ || cut;
    take_field();
  }
  line_.clear();
}

/// The names `event`, `id` and `retry` mean nothing to us.
void EventParser::take_field() {
  const std::size_t colon = line_.find(':');
  if (std::string_view(line_).substr(0, colon) != "data") return;
  std::string_view value;
  if (colon != std::string::npos) value = std::string_view(line_).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (std::exchange(has_data_, true)) data_ += '\n';
  data_ += value;
}

void EventParser::end_event(std::vector<std::string>& events) {
  const bool complete = std::exchange(has_data_, false) && !too_long_;
  if (std::exchange(too_long_, false)) ++skipped_;
  std::string data = std::exchange(data_, {});
  if (complete) events.push_back(std::move(data));
}

}  // namespace molecule::platform
