// Time, random values, backoff and results.
#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>

#include "base/async/backoff.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"

using namespace molecule;
using namespace std::chrono_literals;

TEST_CASE("times are written with as few digits as possible") {
  const WallTime base = std::chrono::sys_days(std::chrono::year(2026) / 5 / 1) + 10h + 2min + 3s;
  CHECK(format_rfc3339(base) == "2026-05-01T10:02:03Z");
  CHECK(format_rfc3339(base + 500ms) == "2026-05-01T10:02:03.5Z");
  CHECK(format_rfc3339(base + 1us) == "2026-05-01T10:02:03.000001Z");
  CHECK(format_rfc3339(base + 999ns) == "2026-05-01T10:02:03Z");
  CHECK(format_rfc3339(WallTime()) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339(WallTime() - 1us) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("times are read in every RFC 3339 form") {
  const WallTime base = std::chrono::sys_days(std::chrono::year(2026) / 5 / 1) + 10h + 2min + 3s;
  for (const char* text :
       {"2026-05-01T10:02:03Z", "2026-05-01t10:02:03z", "2026-05-01 10:02:03Z",
        "2026-05-01T10:02:03.000Z", "2026-05-01T12:02:03+02:00", "2026-05-01T04:32:03-05:30",
        "2026-05-01T10:02:03.0000000009Z", "2026-05-01T10:02:03+00:00"}) {
    CAPTURE(text);
    CHECK(parse_rfc3339(text) == base);
  }
  CHECK(parse_rfc3339("2026-05-01T10:02:03.123456789Z") == base + 123456us);
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z"));
  CHECK(parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
  CHECK(parse_rfc3339("1678-01-01T00:00:00Z"));
  CHECK(parse_rfc3339("2261-12-31T23:59:59.999999Z"));
}

TEST_CASE("invalid times are rejected") {
  for (const char* text : {"",
                           "2026",
                           "2026-05-01",
                           "2026-05-01T10:02Z",
                           "2026-05-01T10:02:03",
                           "2026-13-01T10:02:03Z",
                           "2026-02-29T10:02:03Z",
                           "2026-00-01T10:02:03Z",
                           "2026-05-00T10:02:03Z",
                           "2026-05-32T10:02:03Z",
                           "2026-05-01T24:00:00Z",
                           "2026-05-01T10:60:03Z",
                           "2026-05-01T10:02:61Z",
                           "2026-05-01T10:02:03.Z",
                           "2026-05-01T10:02:03+2:00",
                           "2026-05-01T10:02:03+24:00",
                           "2026-05-01T10:02:03+02:60",
                           "2026-05-01T10:02:03Zx",
                           "2026-05-01T10:02:03 Z",
                           "+026-05-01T10:02:03Z",
                           "2026-05-01T-1:02:03Z",
                           "9999-12-31T23:59:59Z",
                           "0000-01-01T00:00:00Z",
                           "1677-12-31T23:59:59Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("microseconds survive a round trip") {
  for (const std::int64_t micros :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'777'000'000'000'001}}) {
    CHECK(to_micros(from_micros(micros)) == micros);
  }
  CHECK(to_micros(WallTime() - 1ns) == -1);
  const auto time = from_micros(1'777'000'000'123'456);
  CHECK(parse_rfc3339(format_rfc3339(time)) == time);
  CHECK(from_micros(std::numeric_limits<std::int64_t>::max()) > from_micros(0));
  CHECK(from_micros(std::numeric_limits<std::int64_t>::min()) < from_micros(0));
}

TEST_CASE("random tokens and ids have the right format") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = random_token();
    CHECK(token.size() == 43);
    CHECK(token.find_first_not_of(
              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    const std::string id = random_uuid();
    CHECK(is_uuid(id));
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    CHECK(seen.insert(token).second);
    CHECK(seen.insert(id).second);
    const double unit = random_unit();
    CHECK(unit >= 0);
    CHECK(unit < 1);
  }
  CHECK(random_token(1).size() == 2);
  CHECK(random_token(3).size() == 4);
  CHECK(random_token(256).size() == 342);
}

TEST_CASE("UUIDs are recognised") {
  CHECK(is_uuid("01234567-89ab-cdef-ABCD-EF0123456789"));
  for (const char* text :
       {"", "0123456789abcdefABCDEF0123456789", "01234567-89ab-cdef-ABCD-EF012345678",
        "01234567-89ab-cdef-ABCD-EF01234567890", "g1234567-89ab-cdef-ABCD-EF0123456789",
        "01234567889ab-cdef-ABCD-EF0123456789", "{1234567-89ab-cdef-ABCD-EF012345678}"}) {
    CAPTURE(text);
    CHECK_FALSE(is_uuid(text));
  }
}

TEST_CASE("backoff doubles up to a maximum, with a spread of a quarter") {
  Backoff backoff(1000ms, 30'000ms);
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) CHECK(backoff.next(0.5) == seconds * 1000ms);
  for (int i = 0; i < 100; ++i) CHECK(backoff.next(0.5) == 30'000ms);
  backoff.reset();
  CHECK(backoff.next(0) == 750ms);
  CHECK(backoff.next(0.999) < 2500ms);
  CHECK(backoff.next(0.999) > 4990ms);
}

TEST_CASE("a result is a value or an error") {
  using Count = Result<int, std::string>;
  const Count good = 3;
  const Count bad = Failure{std::string("why")};
  CHECK(good);
  CHECK(*good == 3);
  CHECK_FALSE(bad);
  CHECK(bad.error() == "why");
  CHECK_THROWS_AS((void)bad.value(), std::bad_variant_access);
  CHECK_THROWS_AS((void)good.error(), std::bad_variant_access);
  const Result<void, std::string> done;
  const Result<void, std::string> failed = Failure{std::string("why")};
  CHECK(done);
  CHECK_FALSE(failed);
  CHECK(failed.error() == "why");
  // The error type only needs to be convertible to the result's.
  const Count converted = Failure{"why"};
  CHECK(converted.error() == "why");
}
