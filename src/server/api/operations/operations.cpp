// What operators and monitoring ask (platform-api.md 0.9).

#include <chrono>
#include <string>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

/// The hosted platform names its source revision here; a release of this one has a version.
awaitable<Reply> build_info(Context&, Request) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("git_sha", MOLECULE_VERSION);
    reply.field("version", MOLECULE_VERSION);
  }
  co_return json_reply(200, std::move(writer).take());
}

/// Whether a load balancer should send requests here. Unlike /health, which only says that the
/// process lives, this asks the store.
awaitable<Reply> ready(Context& context, Request) {
  Services& services = context.services;
  bool up = false;
  try {
    store::Rows row = co_await context.store.query("SELECT count(*) FROM platform_facts");
    up = row.next() && !services.store.silent();
  } catch (const StoreError& error) {
    log::debug("not ready: {}", error.what());
  }
  std::string_view status = "ready";
  if (services.draining) status = "draining";
  if (!up) status = "store unavailable";
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", status);
    reply.field("engine", services.store.engine());
    reply.field("version", MOLECULE_VERSION);
  }
  const bool ready = up && !services.draining;
  Reply reply = json_reply(ready ? 200 : 503, std::move(writer).take());
  if (!ready) reply.headers.emplace_back("Retry-After", "2");
  co_return reply;
}

awaitable<Reply> liveness(Context& context, Request) {
  const Clock::time_point now = context.services.clock.now();
  json::Writer writer;
  {
    auto reply = writer.object();
    // Whether this instance does the work that one of several does.
    reply.field("leads", context.services.events.instances().leads());
    auto all = reply.object("subsystems");
    for (const auto& [name, tick] : context.services.ticks) {
      auto item = all.object(name);
      item.field("last_tick_at", format_rfc3339(tick.wall));
      item.field("seconds_ago",
                 std::chrono::duration_cast<std::chrono::seconds>(now - tick.at).count());
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server
