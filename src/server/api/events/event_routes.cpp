#include <string_view>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/access/auth.hpp"
#include "server/api/input.hpp"
#include "server/api/routes.hpp"

namespace molecule::server {

namespace {

constexpr int page = 100;

Reply event_page(sqlite::Statement row) {
  json::Writer writer;
  {
    auto list = writer.array();
    while (row.step()) {
      if (writer.text().size() > page_bytes) break;
      auto event = list.object();
      event.field("id", row.text(0));
      event.field("event_type", row.text(1));
      event.nullable("workspace_id", row.optional_string(2));
      event.raw("payload", row.text(3));
      event.field("created_at", format_rfc3339(from_micros(row.integer(4))));
    }
  }
  return json_reply(200, std::move(writer).take());
}

Reply list_events(Context& context, const Request& request) {
  if (auto refusal = admin_auth(context, request)) return *std::move(refusal);
  auto row = context.database.prepare(
      "SELECT id, event_type, workspace_id, payload, created_at FROM events"
      " ORDER BY seq DESC LIMIT ?1");
  row.bind(page);
  return event_page(std::move(row));
}

Reply list_workspace_events(Context& context, const Request& request) {
  if (auto refusal = admin_auth(context, request)) return *std::move(refusal);
  const std::optional<std::string> id = parse_uuid(request.args.at(0));
  if (!id) return error_reply(400, "invalid workspace ID");
  auto row = context.database.prepare(
      "SELECT id, event_type, workspace_id, payload, created_at FROM events"
      " WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT ?2");
  row.bind(*id, page);
  return event_page(std::move(row));
}

Reply health(Context&, const Request&) {
  return json_reply(200, R"({"status":"ok"})");
}

Reply front_page(Context&, const Request&) {
  return text_reply(200,
                    "molecule-platform " MOLECULE_VERSION
                    "\n\n"
                    "The platform side for agents, on this machine: the same HTTP API that the\n"
                    "hosted platform speaks. molecule-mcp keeps an agent online here.\n\n"
                    "  GET  /health        is it up\n"
                    "  GET  /workspaces    who is there (Authorization: Bearer <admin token>)\n"
                    "  POST /workspaces    {\"name\":\"A\",\"external\":true,\"delivery_mode\":"
                    "\"poll\"}:\n"
                    "                      a new workspace, with what to paste to connect it\n"
                    "  GET  /ws            WebSocket: what happens, as it happens\n\n"
                    "The admin token is in the file admin_token of the data folder, unless\n"
                    "ADMIN_TOKEN was set.\n");
}

}  // namespace

std::vector<Route> event_routes() {
  return {{"GET", "/events", list_events}, {"GET", "/events/:id", list_workspace_events}};
}

std::vector<Route> status_routes() {
  return {{"GET", "/health", health}, {"GET", "/", front_page}};
}

}  // namespace molecule::server
