#include <doctest/doctest.h>

#include <chrono>

#include "server/api/registry/status.hpp"
#include "server/api/workspaces/push_url.hpp"

using namespace molecule::server;
using std::chrono::seconds;

namespace {

std::string_view next(std::string_view status, const HeartbeatFacts& heartbeat) {
  const auto transition = after_heartbeat(status, heartbeat);
  return transition ? transition->status : "stays";
}

}  // namespace

TEST_CASE("any heartbeat brings a new workspace online") {
  for (const char* status : {"offline", "provisioning", "awaiting_agent"}) {
    CHECK(next(status, {}) == "online");
    CHECK(next(status, {.error_rate = 1, .runtime_state = "wedged"}) == "online");
  }
  for (const char* status : {"failed", "paused", "hibernated", "hibernating", "removed"}) {
    CHECK(next(status, {}) == "stays");
  }
}

TEST_CASE("errors degrade from 0.5 and recover below 0.1") {
  CHECK(next("online", {.error_rate = 0.49, .runtime_state = ""}) == "stays");
  CHECK(next("online", {.error_rate = 0.5, .runtime_state = ""}) == "degraded");
  CHECK(next("degraded", {.error_rate = 0.5, .runtime_state = ""}) == "stays");
  CHECK(next("degraded", {.error_rate = 0.1, .runtime_state = ""}) == "stays");
  CHECK(next("degraded", {.error_rate = 0.09, .runtime_state = ""}) == "online");
  CHECK(next("degraded", {.error_rate = 0, .runtime_state = "wedged"}) == "stays");
  CHECK(next("online", {.error_rate = 0, .runtime_state = "wedged"}) == "degraded");
}

TEST_CASE("a runtime that manages its own status is not judged by its errors") {
  const HeartbeatFacts bad{.error_rate = 1, .runtime_state = "", .manages_own_status = true};
  const HeartbeatFacts good{.error_rate = 0, .runtime_state = "", .manages_own_status = true};
  CHECK(next("online", bad) == "stays");
  CHECK(next("degraded", good) == "stays");
}

TEST_CASE("a silent workspace goes offline") {
  CHECK(!after_silence("online", "external", seconds(90)));
  CHECK(after_silence("online", "external", seconds(91)) == "awaiting_agent");
  CHECK(after_silence("degraded", "external", seconds(91)) == "awaiting_agent");
  CHECK(!after_silence("online", "langgraph", seconds(180)));
  CHECK(after_silence("online", "langgraph", seconds(181)) == "offline");
  for (const char* status : {"provisioning", "awaiting_agent", "paused", "removed", "failed"}) {
    CHECK(!after_silence(status, "external", seconds(1'000'000)));
  }
}

TEST_CASE("push URLs") {
  for (const char* good :
       {"http://example.org", "https://agent.example:8443/a2a?x=1", "http://localhost:8000",
        "http://8.8.8.8/", "http://[2606:4700::1]:80", "HTTP://EXAMPLE.ORG", "http://example.org.",
        "http://[64:ff9b::808:808]/", "http://[2002:808:808::1]", "http://[::ffff:8.8.8.8]",
        "http://a_b.xn--p1ai/%41?x=[1]"}) {
    CAPTURE(good);
    CHECK(!push_url_problem(good));
  }
  for (const char* bad : {"",
                          "ftp://example.org",
                          "example.org",
                          "http://",
                          "http://:80",
                          "http:///x",
                          "http://user@example.org",
                          "http://127.0.0.1:8000",
                          "http://127.1",
                          "http://2130706433",
                          "http://0x7f000001",
                          "http://0177.0.0.1",
                          "http://10.0.0.1",
                          "http://172.31.0.1",
                          "http://192.168.1.1",
                          "http://169.254.169.254",
                          "http://100.64.0.1",
                          "http://224.0.0.1",
                          "http://0.0.0.0",
                          "http://[::1]",
                          "http://[::]",
                          "http://[fe80::1]",
                          "http://[fd00::1]",
                          "http://[::ffff:10.0.0.1]",
                          "http://[2001:db8::1]",
                          "http://[::1",
                          "http://a b",
                          "http://a\nb"}) {
    CAPTURE(bad);
    CHECK(push_url_problem(bad));
  }
}

TEST_CASE("fault C11: a blocked address is blocked in every spelling") {
  for (const char* bad : {"http://[::127.0.0.1]",
                          "http://[::7f00:1]:8000/a",
                          "http://[::ffff:127.0.0.1]",
                          "http://[::ffff:7f00:1]",
                          "http://[::ffff:0:127.0.0.1]",
                          "http://[0:0:0:0:0:ffff:a9fe:a9fe]",
                          "http://[64:ff9b::7f00:1]",
                          "http://[64:ff9b::169.254.169.254]",
                          "http://[64:ff9b:1::7f00:1]",
                          "http://[2002:7f00:1::]",
                          "http://[2002:a9fe:a9fe::1]",
                          "http://[2001:0:1:2::1]",
                          "http://[fec0::1]",
                          "http://[::1%25lo]",
                          "http://[::1%lo]",
                          "http://[fe80::1%25eth0]",
                          "http://[2606:4700::1%25eth0]",
                          "http://localhost.",
                          "http://LOCALHOST.:80",
                          "http://a.localhost",
                          "http://a.localhost.",
                          "http://localhost.localdomain",
                          "http://ip6-localhost",
                          "http://127.0.0.1.",
                          "http://127.0.0.1.:80/",
                          "http://127.1.",
                          "http://2130706433.",
                          "http://0x7f.1",
                          "http://0x7f.0.0.0x1",
                          "http://0177.1",
                          "http://017700000001",
                          "http://127.0.0.01",
                          "http://%31%32%37.0.0.1",
                          "http://127%2e0.0.1",
                          "http://127.0.0.1%00.example.org",
                          "http://example.org@127.0.0.1",
                          "http://user:pass@example.org",
                          "http://127.0.0.1\\@example.org",
                          "http://example.org\\@127.0.0.1/",
                          "http://[127.0.0.1]",
                          "http://[localhost]",
                          "http://[::1]x",
                          "http://example.org:80x",
                          "http://example..org",
                          "http://.example.org",
                          "http://::1",
                          "http://240.0.0.1",
                          "http://198.18.0.1",
                          "http://.",
                          "http://\xe2\x91\xa0.0.0.1"}) {
    CAPTURE(bad);
    CHECK(push_url_problem(bad));
  }
}
