#include "server/http/event_client.hpp"

#include <utility>

#include "server/access/auth.hpp"
#include "server/api/workspaces/workspace_rows.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

Result<SightOf, Reply> event_client(Context& context, const Request& request) {
  Request asked = request;
  if (!asked.header("Authorization")) {
    const std::optional<std::string> token = offered_bearer(request);
    if (token) asked.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  // The same question as who sends a message: the human, or which workspace.
  Result<std::optional<std::string>, Reply> caller = a2a_caller(context, asked);
  if (!caller) return Failure{std::move(caller.error())};
  if (!*caller) return SightOf([](std::string_view) { return Sight::yes; });
  return SightOf([&context, id = **caller,
                  token = std::string(*asked.bearer())](std::string_view workspace_id) {
    if (token_owner(context, token) != id) return Sight::revoked;
    return can_communicate(context, id, workspace_id) ? Sight::yes : Sight::no;
  });
}

}  // namespace molecule::server
