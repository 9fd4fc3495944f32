// /metrics and /ready (platform-api.md 9.8).

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

#include "server/metrics/exposition.hpp"
#include "server/platform.hpp"

using namespace molecule;
using server::Exposition;
using server::Histogram;
using test::Member;
using test::Platform;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// Every line is a comment or `name{labels} number`, and all values of a name follow its TYPE.
void check_format(const std::string& text) {
  std::set<std::string> seen;
  std::string name;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line.starts_with("# HELP ")) continue;
    if (line.starts_with("# TYPE ")) {
      name = line.substr(7, line.find(' ', 7) - 7);
      CHECK(seen.insert(name).second);
      continue;
    }
    REQUIRE(line.starts_with(name));
    const std::size_t space = line.rfind(' ');
    REQUIRE(space != std::string::npos);
    std::size_t used = 0;
    static_cast<void>(std::stod(line.substr(space + 1), &used));
    CHECK(space + 1 + used == line.size());
  }
}

}  // namespace

TEST_CASE("a histogram counts values up to each bound") {
  Histogram sizes(Histogram::sizes);
  for (const double value : {1.0, 2.0, 3.0, 1000.0}) sizes.add(value);
  Exposition out;
  out.describe("x", "histogram", "help");
  out.histogram("x", R"(a="b")", sizes);
  const std::string text = std::move(out).take();
  check_format(text);
  CHECK(has_line(text, R"(x_bucket{a="b",le="1"} 1)"));
  CHECK(has_line(text, R"(x_bucket{a="b",le="2"} 2)"));
  CHECK(has_line(text, R"(x_bucket{a="b",le="5"} 3)"));
  CHECK(has_line(text, R"(x_bucket{a="b",le="200"} 3)"));
  CHECK(has_line(text, R"(x_bucket{a="b",le="+Inf"} 4)"));
  CHECK(has_line(text, R"(x_sum{a="b"} 1006)"));
  CHECK(has_line(text, R"(x_count{a="b"} 4)"));
}

TEST_CASE("labels are escaped") {
  CHECK(Exposition::label("a", "b\"c\\d\ne") == R"(a="b\"c\\d e")");
}

TEST_CASE("the metrics tell of requests, the store, workspaces and refusals") {
  Platform platform;
  const Member own = platform.add("own");
  platform.add("other");
  platform.services.limits.requests_per_minute = 1;
  for (int i = 0; i < 3; ++i) platform.get(test::path_of(own, "/memory"), own.token);
  const std::uint64_t groups = platform.store->metrics().group_sizes.count();
  platform.post(test::path_of(own, "/a2a"), platform.admin,
                R"({"method":"m","params":{"message":{"parts":[]}}})");
  platform.get("/nothing/like/this", "");
  const auto answer = platform.get("/metrics", platform.admin);
  REQUIRE(answer.status == 200);
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  check_format(answer.text);
  const std::string route = R"({method="GET",path="/workspaces/:id/memory")";
  CHECK(has_line(answer.text, "molecule_http_requests_total" + route + R"(,status="200"} 1)"));
  CHECK(has_line(answer.text, "molecule_http_requests_total" + route + R"(,status="429"} 2)"));
  CHECK(has_line(answer.text, "molecule_http_request_duration_seconds_count" + route + "} 3"));
  CHECK(has_line(answer.text,
                 R"(molecule_http_requests_total{method="",path="unmatched",status="404"} 1)"));
  CHECK(has_line(answer.text, "molecule_store_group_requests_count " + std::to_string(groups + 1)));
  CHECK(has_line(answer.text, R"(molecule_workspaces{status="online"} 2)"));
  CHECK(has_line(answer.text, R"(molecule_limit_refusals_total{limit="rate"} 2)"));
  CHECK(has_line(answer.text, "molecule_store_up 1"));
  CHECK(answer.text.find("molecule_store_size_bytes ") != std::string::npos);
  CHECK(answer.text.find("molecule_store_fsync_duration_seconds_count ") != std::string::npos);
  CHECK(answer.text.find(R"(molecule_build_info{version=")") != std::string::npos);
  // Neither who is there nor what anybody may do with it.
  for (const std::string& secret : {own.id, own.token, platform.admin}) {
    CHECK(answer.text.find(secret) == std::string::npos);
  }
}

TEST_CASE("metrics are the admin's") {
  Platform platform;
  const Member own = platform.add("own");
  CHECK(platform.get("/metrics", "").status == 401);
  CHECK(platform.get("/metrics", own.token).status == 401);
}

TEST_CASE("ready tells engine and version, and is 503 while the platform drains or has no store") {
  Platform platform;
  const auto ready = platform.get("/ready", "");
  CHECK(ready.status == 200);
  CHECK(ready["status"].string_or("") == "ready");
  const std::string engine = platform.kept.on_server() ? "PostgreSQL " : "SQLite 3.";
  CHECK(std::string(ready["engine"].string_or("")).starts_with(engine));
  CHECK(ready["version"].string_or("") == MOLECULE_VERSION);
  platform.services.draining = true;
  const auto draining = platform.get("/ready", "");
  CHECK(draining.status == 503);
  CHECK(draining["status"].string_or("") == "draining");
  CHECK(platform.get("/health", "").status == 200);
  CHECK(has_line(platform.get("/metrics", platform.admin).text, "molecule_draining 1"));
}
