#pragma once

#include "base/async/asio.hpp"
#include "net/http_client.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_folder.hpp"
#include "support/virtual_clock.hpp"

namespace molecule::test {

/// What the fixtures of the rooms above `net` share: one loop in virtual time, a folder, and a
/// platform that says what a test wants.
struct ScriptedPlatform {
  asio::io_context loop;
  VirtualClock clock;
  TemporaryFolder folder;
  ScriptedServer server{loop};
  net::HttpClient http{loop.get_executor()};
};

}  // namespace molecule::test
