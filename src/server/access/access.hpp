#pragma once

#include <optional>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/result.hpp"
#include "server/access/caller.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Who may use a route (platform-api.md 0.1 to 0.4, without its fail-open cases: a request with no
/// credential, or a wrong one, is refused). "The admin" is the holder of the admin token, of an
/// organisation token, or of a session's cookie (page.md 1.9).
enum class Access {
  /// No credential is required. A request without a right one counts for its address.
  anyone,
  /// The same, and counts for nobody: it costs next to nothing, and a page or a probe is answered
  /// even where it shares its address with a crowd, as all do behind a proxy.
  anyone_uncounted,
  /// page.md 1: whoever has what a session is made from (`create_session`). The handler finds out.
  login,
  /// platform-api.md 0.3: the admin.
  admin,
  /// platform-api.md 0.2: the workspace of the path, or the admin.
  workspace,
  /// The workspace of the path only.
  own_workspace,
  /// platform-api.md 2.7: the workspace of the path; the admin only while it has no live token.
  workspace_state,
  /// platform-api.md 1.4: the workspace that X-Workspace-ID names.
  claimed_workspace,
  /// platform-api.md 3 and 10: any workspace, which X-Workspace-ID must name if it is sent, or the
  /// admin without that field.
  sender,
  /// Any workspace, or the admin.
  any_token,
  /// platform-api.md 0.4: the workspace that the body names. The handler reads the body and must
  /// call `claim_workspace` or `claim_registration`; without that the router sends no success.
  body_workspace,
  /// platform-api.md 10.2: whoever has the inbound secret of the path's workspace.
  inbound_secret
};

/// The handler finds out whether the request brings something right (`Context::credential_shown`).
constexpr bool is_proved_by_handler(Access access) {
  return access == Access::body_workspace || access == Access::login;
}

/// Decides whether a request may use a route with `access`. Returns its caller, or the refusal to
/// send.
awaitable<Result<Caller, Reply>> authorize(Context& context, Access access, const Request& request);

/// Who sends a request to a route that asks for no credential; nobody without a right one.
awaitable<Caller> identify(Context& context, const Request& request);

/// True for the admin token itself.
bool is_admin_token(const Context& context, std::string_view token);
/// The 403 of page.md 1.10.
Reply origin_required();

/// For `Access::body_workspace`: returns a refusal unless the request comes from `workspace_id`.
awaitable<std::optional<Reply>> claim_workspace(Context& context, const Request& request,
                                                std::string_view workspace_id);
/// The same for a registration. Only the admin may register a workspace that has no live token: an
/// unknown one (`known` is false), or one whose tokens are all revoked (platform-api.md 9).
awaitable<std::optional<Reply>> claim_registration(Context& context, const Request& request,
                                                   std::string_view workspace_id, bool known);

}  // namespace molecule::server
