#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "platform/events/event_parser.hpp"

using namespace molecule;
using platform::EventParser;

namespace {

using Events = std::vector<std::string>;

Events read(std::string_view text, std::size_t max_bytes = 100) {
  return EventParser(max_bytes).take(text);
}

constexpr std::string_view sample =
    "\xEF\xBB\xBF: ping\n\ndata: one\n\nevent: x\r\nid: 7\r\ndata:two\r\ndata:  lines\r\n\r\n"
    "data: three\r\r: ping\ndata\ndata\n\nretry: 5\n\ndata: \xC3\xA9\n\ndata: not complete\n";

const Events in_sample{"one", "two\n lines", "three", "\n", "\xC3\xA9"};

}  // namespace

TEST_CASE("event parser: the sample, whole") {
  EventParser parser(100);
  CHECK(parser.take(sample) == in_sample);
  CHECK(parser.comments() == 2);
  CHECK(parser.skipped() == 0);
}

TEST_CASE("event parser: any split of the input gives the same events") {
  for (std::size_t first = 0; first <= sample.size(); ++first) {
    for (std::size_t second = first; second <= sample.size(); ++second) {
      EventParser parser(100);
      Events events;
      for (const std::string_view piece :
           {sample.substr(0, first), sample.substr(first, second - first), sample.substr(second)}) {
        for (std::string& event : parser.take(piece)) events.push_back(std::move(event));
      }
      REQUIRE(events == in_sample);
      REQUIRE(parser.comments() == 2);
    }
  }
}

TEST_CASE("event parser: a NUL is data, and part of a name") {
  using namespace std::string_view_literals;
  CHECK(read("data: a\0b\n\n"sv) == Events{std::string("a\0b"sv)});
  CHECK(read("da\0ta: a\n\n"sv).empty());
}

TEST_CASE("event parser: an event that is too long is skipped, and the next one read") {
  EventParser parser(64);
  CHECK(parser.take("data: " + std::string(100, 'x') + "\n\ndata: next\n\n") == Events{"next"});
  CHECK(parser.skipped() == 1);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "data: line\n";
  CHECK(parser.take(many + "\ndata: next\n\n") == Events{"next"});
  CHECK(parser.skipped() == 2);
}

TEST_CASE("event parser: a long comment costs no event") {
  CHECK(read(":" + std::string(1000, 'x') + "\ndata: next\n\n", 64) == Events{"next"});
}

TEST_CASE("event parser: an endless line holds no memory") {
  EventParser parser(64);
  for (int i = 0; i < 10'000; ++i) REQUIRE(parser.take(std::string(1000, 'x')).empty());
  CHECK(parser.take("\n\ndata: next\n\n") == Events{"next"});
}
