#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::platform {

/// Reads a stream of server-sent events (text/event-stream, WHATWG HTML 9.2) from pieces of any
/// size. Holds at most `max_bytes` of one event: a longer one is skipped, and counted.
class EventParser {
 public:
  explicit EventParser(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// The data of the events that `piece` completes; lines of one event are joined by LF. Events
  /// without data are none.
  std::vector<std::string> take(std::string_view piece);

  /// Comments so far, which servers send to keep the connection open.
  std::size_t comments() const { return comments_; }
  /// Events so far that were too long.
  std::size_t skipped() const { return skipped_; }

 private:
  void take_character(char character, std::vector<std::string>& events);
  void end_line(std::vector<std::string>& events);
  void end_event(std::vector<std::string>& events);
  void take_field();

  std::size_t max_bytes_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool line_cut_ = false;
  bool too_long_ = false;
  bool after_cr_ = false;
  /// How much of the byte order mark that may come first has come; 3 from the first other byte on.
  std::size_t mark_bytes_ = 0;
  std::size_t comments_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace molecule::platform
