#include "server/api/routes.hpp"

#include "server/page/page.hpp"

namespace molecule::server {

// The handlers, each defined in its subject's folder.
HandlerFunction register_workspace, post_heartbeat, update_card, discover, list_peers, check_access;
HandlerFunction create_workspace, list_workspaces, get_workspace, patch_workspace, delete_workspace,
    get_state, get_budget, set_budget, list_tokens, create_token, revoke_token;
HandlerFunction list_events, list_workspace_events, open_event_stream, stream_workspace_events;
HandlerFunction post_a2a, get_activity, post_activity, post_ack, post_notify, post_broadcast,
    get_history, post_delegate, get_delegations, post_record, post_update;
HandlerFunction post_upload, get_download, get_content, post_upload_ack, get_limits;
HandlerFunction post_memory, get_memories, delete_memory, get_entries, get_entry, post_entry,
    delete_entry;
HandlerFunction post_request, list_requests, list_inbox_requests, get_request,
    post_request_response, post_request_message, post_request_cancel;
HandlerFunction list_pending_requests, list_all_requests, post_person_request, get_person_request,
    post_person_response, post_person_message, post_person_cancel;
HandlerFunction post_user_task, list_user_tasks, list_pending_user_tasks, patch_user_task,
    delete_user_task, resolve_user_task, post_approval, list_approvals, list_pending_approvals,
    decide_approval, withdraw_approval;
HandlerFunction get_chat_marks, new_chat_session, get_viewport, put_viewport, search_session,
    search_all, get_delegation, get_connection, rotate_credentials;
HandlerFunction open_login_link, post_login, get_login_info, post_logout, get_session,
    list_sessions, revoke_session, revoke_sessions, get_about;
HandlerFunction health, ready, get_platform_metrics;
HandlerFunction patch_abilities, pause_workspace, resume_workspace, restart_workspace, get_config,
    patch_config, get_secret_values, get_metrics, empty_list, empty_catalogue, get_mail_summary,
    post_inbound, get_memories_v2, get_namespaces, list_org_tokens, create_org_token,
    revoke_org_token, build_info, liveness;

std::vector<Route> all_routes() {
  using enum Access;
  return {
      // platform-api.md 1: registry
      {"POST", "/registry/register", body_workspace, register_workspace},
      {"POST", "/registry/heartbeat", body_workspace, post_heartbeat, ContentPolicy::api,
       Transaction::on_demand},
      {"POST", "/registry/update-card", body_workspace, update_card},
      {"GET", "/registry/discover/:id", claimed_workspace, discover},
      {"GET", "/registry/:id/peers", workspace, list_peers},
      {"POST", "/registry/check-access", anyone, check_access},
      // platform-api.md 2: workspaces
      {"POST", "/workspaces", admin, create_workspace},
      {"GET", "/workspaces", admin, list_workspaces},
      {"GET", "/workspaces/:id", anyone, get_workspace},
      {"PATCH", "/workspaces/:id", workspace, patch_workspace},
      {"DELETE", "/workspaces/:id", admin, delete_workspace},
      {"GET", "/workspaces/:id/state", workspace_state, get_state},
      {"GET", "/workspaces/:id/budget", workspace, get_budget},
      {"PATCH", "/workspaces/:id/budget", admin, set_budget},
      {"GET", "/workspaces/:id/tokens", workspace, list_tokens},
      {"POST", "/workspaces/:id/tokens", workspace, create_token},
      {"DELETE", "/workspaces/:id/tokens/:token", workspace, revoke_token},
      // platform-api.md 2.10: events
      {"GET", "/events", admin, list_events},
      {"GET", "/events/:id", admin, list_workspace_events},
      {"GET", "/ws", sender, open_event_stream},
      {"GET", "/workspaces/:id/events/stream", workspace, stream_workspace_events},
      // platform-api.md 3 to 5: messages
      {"POST", "/workspaces/:id/a2a", sender, post_a2a},
      {"GET", "/workspaces/:id/activity", workspace, get_activity},
      {"POST", "/workspaces/:id/activity", workspace, post_activity},
      {"POST", "/workspaces/:id/activity/ack", workspace, post_ack},
      {"POST", "/workspaces/:id/notify", workspace, post_notify},
      {"POST", "/workspaces/:id/broadcast", workspace, post_broadcast},
      {"GET", "/workspaces/:id/chat-history", workspace, get_history},
      {"POST", "/workspaces/:id/delegate", workspace, post_delegate},
      {"GET", "/workspaces/:id/delegations", workspace, get_delegations},
      {"POST", "/workspaces/:id/delegations/record", workspace, post_record},
      {"POST", "/workspaces/:id/delegations/:delegation_id/update", workspace, post_update},
      // platform-api.md 4.5, 4.6 and 10: files
      {"POST", "/workspaces/:id/chat/uploads", workspace, post_upload},
      {"GET", "/workspaces/:id/chat/download", workspace, get_download},
      {"GET", "/workspaces/:id/pending-uploads/:file_id/content", workspace, get_content},
      {"POST", "/workspaces/:id/pending-uploads/:file_id/ack", workspace, post_upload_ack},
      {"GET", "/uploads/limits", anyone, get_limits},
      // platform-api.md 6: memories, keys and values
      {"POST", "/workspaces/:id/memories", workspace, post_memory},
      {"GET", "/workspaces/:id/memories", workspace, get_memories},
      {"DELETE", "/workspaces/:id/memories/:memory_id", workspace, delete_memory},
      {"GET", "/workspaces/:id/memory", workspace, get_entries},
      {"GET", "/workspaces/:id/memory/:key", workspace, get_entry},
      {"POST", "/workspaces/:id/memory", workspace, post_entry},
      {"DELETE", "/workspaces/:id/memory/:key", workspace, delete_entry},
      // page.md 1: login and sessions
      {"GET", "/login", login, open_login_link},
      {"POST", "/login", login, post_login},
      {"GET", "/login/info", anyone_uncounted, get_login_info},
      {"POST", "/logout", anyone, post_logout},
      {"GET", "/session", admin, get_session},
      {"GET", "/sessions", admin, list_sessions},
      {"DELETE", "/sessions", admin, revoke_sessions},
      {"DELETE", "/sessions/:session", admin, revoke_session},
      {"GET", "/admin/about", admin, get_about},
      // page.md 2: the chat and what is around it
      {"POST", "/workspaces/:id/chat-session/new", workspace, new_chat_session},
      {"GET", "/workspaces/:id/chat-marks", workspace, get_chat_marks},
      {"GET", "/workspaces/:id/session-search", workspace, search_session},
      {"GET", "/search", admin, search_all},
      {"GET", "/workspaces/:id/delegations/:delegation_id", workspace, get_delegation},
      {"GET", "/workspaces/:id/external/connection", workspace, get_connection},
      {"POST", "/workspaces/:id/external/rotate", workspace, rotate_credentials},
      {"POST", "/admin/workspaces/:id/tokens", admin, create_token},
      {"GET", "/canvas/viewport", admin, get_viewport},
      {"PUT", "/canvas/viewport", admin, put_viewport},
      // page.md 3.2: an agent's requests
      {"POST", "/workspaces/:id/requests", own_workspace, post_request},
      {"GET", "/workspaces/:id/requests", workspace, list_requests},
      {"GET", "/workspaces/:id/requests/inbox", workspace, list_inbox_requests},
      {"GET", "/workspaces/:id/requests/:rid", workspace, get_request},
      {"POST", "/workspaces/:id/requests/:rid/respond", own_workspace, post_request_response},
      {"POST", "/workspaces/:id/requests/:rid/messages", own_workspace, post_request_message},
      {"POST", "/workspaces/:id/requests/:rid/cancel", own_workspace, post_request_cancel},
      // page.md 3.3: the person's
      {"GET", "/requests/pending", admin, list_pending_requests},
      {"GET", "/requests", admin, list_all_requests},
      {"POST", "/requests", admin, post_person_request},
      {"GET", "/requests/:rid", admin, get_person_request},
      {"POST", "/requests/:rid/respond", admin, post_person_response},
      {"POST", "/requests/:rid/messages", admin, post_person_message},
      {"POST", "/requests/:rid/cancel", admin, post_person_cancel},
      // page.md 3.7: older spellings
      {"POST", "/workspaces/:id/user-tasks", own_workspace, post_user_task},
      {"GET", "/workspaces/:id/user-tasks", workspace, list_user_tasks},
      {"PATCH", "/workspaces/:id/user-tasks/:tid", own_workspace, patch_user_task},
      {"DELETE", "/workspaces/:id/user-tasks/:tid", own_workspace, delete_user_task},
      {"POST", "/workspaces/:id/user-tasks/:tid/resolve", workspace, resolve_user_task},
      {"GET", "/user-tasks/pending", admin, list_pending_user_tasks},
      {"POST", "/workspaces/:id/approvals", own_workspace, post_approval},
      {"GET", "/workspaces/:id/approvals", workspace, list_approvals},
      {"POST", "/workspaces/:id/approvals/:aid/decide", workspace, decide_approval},
      {"POST", "/workspaces/:id/approvals/:aid/withdraw", own_workspace, withdraw_approval},
      {"GET", "/approvals/pending", admin, list_pending_approvals},
      // platform-api.md 9.5: what the hosted platform's page and later clients ask
      {"PATCH", "/workspaces/:id/abilities", admin, patch_abilities},
      {"POST", "/workspaces/:id/pause", workspace, pause_workspace},
      {"POST", "/workspaces/:id/resume", workspace, resume_workspace},
      {"POST", "/workspaces/:id/restart", workspace, restart_workspace},
      {"GET", "/workspaces/:id/config", workspace, get_config},
      {"PATCH", "/workspaces/:id/config", workspace, patch_config},
      {"GET", "/workspaces/:id/secrets/values", own_workspace, get_secret_values},
      {"GET", "/workspaces/:id/metrics", workspace, get_metrics},
      {"GET", "/workspaces/:id/mail/summary", workspace, get_mail_summary},
      {"POST", "/workspaces/:id/a2a/inbound", inbound_secret, post_inbound},
      {"GET", "/workspaces/:id/v2/memories", workspace, get_memories_v2},
      {"DELETE", "/workspaces/:id/v2/memories/:memory_id", workspace, delete_memory},
      {"GET", "/workspaces/:id/v2/namespaces", workspace, get_namespaces},
      {"GET", "/workspaces/:id/traces", workspace, empty_list},
      {"GET", "/workspaces/:id/schedules", workspace, empty_list},
      {"GET", "/workspaces/:id/plugins", workspace, empty_list},
      {"GET", "/workspaces/:id/channels", workspace, empty_list},
      {"GET", "/templates", admin, empty_catalogue},
      {"GET", "/plugins", admin, empty_catalogue},
      {"GET", "/org/tokens", admin, list_org_tokens},
      {"POST", "/org/tokens", admin, create_org_token},
      {"DELETE", "/org/tokens/:token", admin, revoke_org_token},
      {"GET", "/buildinfo", anyone, build_info},
      {"GET", "/admin/liveness", admin, liveness},
      // platform-api.md 0.9, and the page
      {"GET", "/health", anyone_uncounted, health},
      {"GET", "/ready", anyone_uncounted, ready},
      {"GET", "/metrics", admin, get_platform_metrics},
      {"GET", "/", anyone_uncounted, page::get_page, ContentPolicy::page},
      {"GET", "/page/:name", anyone_uncounted, page::get_page_file, ContentPolicy::page},
      // page.md 4: what only the page reads
      {"GET", "/page/overview", admin, page::get_overview},
      {"GET", "/page/talk", admin, page::get_talk},
      {"GET", "/page/log", admin, page::get_log},
      {"GET", "/page/files", admin, page::get_files},
      {"GET", "/page/install", admin, page::get_install},
  };
}

}  // namespace molecule::server
