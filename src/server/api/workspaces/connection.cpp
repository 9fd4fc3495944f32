// How an agent is connected again (page.md 2.7).

#include <string>

#include "base/json/writer.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/workspaces/snippets.hpp"

namespace molecule::server {

namespace {

Reply connection_reply(const Context& context, const Request& request, std::string_view id,
                       std::string_view token) {
  json::Writer writer;
  {
    auto out = writer.object();
    auto connection = out.object("connection");
    write_connection(connection, public_url(context.services.base_url, request), id, token);
  }
  return json_reply(200, std::move(writer).take());
}

Reply not_external() {
  return error_reply(400, "only an external workspace has a connection");
}

}  // namespace

awaitable<Reply> get_connection(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  if (!is_external_runtime(workspace->runtime)) co_return not_external();
  co_return connection_reply(context, request, workspace->id, "");
}

awaitable<Reply> rotate_credentials(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  if (!is_external_runtime(workspace->runtime)) co_return not_external();
  co_await revoke_tokens(context, workspace->id);
  const std::string token = co_await mint_token(context, workspace->id);
  context.events.record("EXTERNAL_CREDENTIALS_ROTATED", workspace->id, "{}");
  co_return connection_reply(context, request, workspace->id, token);
}

}  // namespace molecule::server
