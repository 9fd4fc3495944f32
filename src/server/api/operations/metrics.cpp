#include "server/api/operations/metrics.hpp"

#include <map>

#include "base/log.hpp"
#include "server/metrics/exposition.hpp"

namespace molecule::server {

namespace {

void write_requests(Exposition& out, const RequestMetrics& requests) {
  constexpr std::string_view total = "molecule_http_requests_total";
  out.describe(total, "counter", "Answered requests.");
  const auto labels = [](const RequestMetrics::Route& route) {
    return Exposition::label("method", route.method) + ',' +
           Exposition::label("path", route.pattern);
  };
  for (const RequestMetrics::Route& route : requests.routes()) {
    for (const auto& [status, count] : route.by_status) {
      out.value(total, labels(route) + ',' + Exposition::label("status", std::to_string(status)),
                count);
    }
  }
  constexpr std::string_view seconds = "molecule_http_request_duration_seconds";
  out.describe(seconds, "histogram", "From a request's last byte to its answer.");
  for (const RequestMetrics::Route& route : requests.routes()) {
    if (route.seconds.count() > 0) out.histogram(seconds, labels(route), route.seconds);
  }
}

void write_gauge(Exposition& out, std::string_view name, std::string_view help,
                 std::uint64_t value) {
  out.describe(name, "gauge", help);
  out.value(name, "", value);
}

void write_counter(Exposition& out, std::string_view name, std::string_view help,
                   std::uint64_t value) {
  out.describe(name, "counter", help);
  out.value(name, "", value);
}

void write_histogram(Exposition& out, std::string_view name, std::string_view help,
                     const Histogram& histogram) {
  out.describe(name, "histogram", help);
  out.histogram(name, "", histogram);
}

void write_transport(Exposition& out, const TransportMetrics& transport) {
  write_gauge(out, "molecule_http_connections_active", "Open connections, of all sorts.",
              transport.connections);
  write_gauge(out, "molecule_http_connections_resting",
              "Open connections on which nothing happens.", transport.resting);
  write_gauge(out, "molecule_http_connections_limit",
              "Connections that fit the limit of open files.", transport.max_connections);
  write_counter(out, "molecule_http_connections_total", "Accepted connections.",
                transport.accepted_connections);
  write_gauge(out, "molecule_websocket_connections_active", "Open WebSockets.",
              transport.web_sockets);
  write_gauge(out, "molecule_event_streams_active", "Open event streams.", transport.event_streams);
  write_gauge(out, "molecule_http_requests_active", "Requests that are not answered yet.",
              transport.unfinished_requests);
}

void write_store(Exposition& out, const store::Database& store) {
  const StoreMetrics& metrics = store.metrics();
  write_histogram(out, "molecule_store_group_requests",
                  "Requests whose writes shared a durable commit.", metrics.group_sizes);
  write_histogram(out, "molecule_store_commit_duration_seconds", "A commit, until it is durable.",
                  metrics.commit_seconds);
  write_counter(out, "molecule_store_commits_failed_total", "Commits that failed.",
                metrics.failed_commits);
  write_histogram(out, "molecule_store_fsync_duration_seconds",
                  "Waits for the disk, where the platform does this itself.", metrics.sync_seconds);
  write_histogram(out, "molecule_store_checkpoint_duration_seconds",
                  "Steps that move the log into the database.", metrics.checkpoint_seconds);
}

void write_size(Exposition& out, const StoreSize& size) {
  if (size.bytes) {
    write_gauge(out, "molecule_store_size_bytes", "The database.", *size.bytes);
  }
  if (size.log_bytes) {
    write_gauge(out, "molecule_store_log_bytes", "Its write-ahead log.", *size.log_bytes);
  }
}

void write_refusals(Exposition& out, const Refusals& refusals) {
  constexpr std::string_view name = "molecule_limit_refusals_total";
  out.describe(name, "counter", "Requests that a limit refused.");
  for (const auto& [kind, count] : refusals.counts()) {
    out.value(name, Exposition::label("limit", kind), count);
  }
}

/// What only the store knows. Throws `StoreError`.
awaitable<void> write_rows(Exposition& out, store::Database& store) {
  write_size(out, co_await store.size());
  const std::unique_ptr<store::Session> session = store.session();
  store::Rows row = co_await session->query(
      "SELECT status, count(*) FROM workspaces WHERE status != 'removed' GROUP BY status"
      " ORDER BY status");
  constexpr std::string_view name = "molecule_workspaces";
  out.describe(name, "gauge", "Workspaces by status.");
  while (row.next()) {
    out.value(name, Exposition::label("status", row.text(0)),
              static_cast<std::uint64_t>(row.integer(1)));
  }
}

void write_build(Exposition& out, const Services& services) {
  out.describe("molecule_build_info", "gauge", "The version, as a label.");
  out.value("molecule_build_info",
            Exposition::label("version", MOLECULE_VERSION) + ',' +
                Exposition::label("engine", services.store.engine()),
            std::uint64_t{1});
  out.describe("molecule_start_time_seconds", "gauge", "When this process began to listen.");
  constexpr double micros_per_second = 1e6;
  out.value("molecule_start_time_seconds", "",
            static_cast<double>(services.login.started_at) / micros_per_second);
  write_gauge(out, "molecule_draining", "1 while the process is about to end.",
              services.draining ? 1 : 0);
}

}  // namespace

awaitable<std::string> metrics_text(Services& services) {
  Exposition out;
  write_build(out, services);
  write_requests(out, services.requests);
  if (services.transport) write_transport(out, services.transport());
  write_store(out, services.store);
  write_gauge(out, "molecule_presence_unsaved",
              "Workspaces whose last heartbeat is not in the store yet.",
              services.presence.unsaved());
  write_refusals(out, services.refusals);
  bool up = true;
  try {
    co_await write_rows(out, services.store);
  } catch (const StoreError& error) {
    log::debug("metrics: {}", error.what());
    up = false;
  }
  write_gauge(out, "molecule_store_up", "1 if the store answers.", up ? 1 : 0);
  co_return std::move(out).take();
}

awaitable<Reply> get_platform_metrics(Context& context, Request) {
  Reply reply = text_reply(200, co_await metrics_text(context.services));
  reply.content_type = Exposition::content_type;
  co_return reply;
}

}  // namespace molecule::server
