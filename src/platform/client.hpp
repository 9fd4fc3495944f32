#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/json/reader.hpp"
#include "base/text/time.hpp"
#include "net/http_client.hpp"
#include "platform/error.hpp"

namespace molecule::platform {

struct Site;

/// What every call of one workspace needs to know.
struct Endpoint {
  /// Without trailing slashes.
  std::string platform_url;
  std::string workspace_id;
  /// Empty: no `X-Molecule-Org-Id`.
  std::string org_id;
  /// No call takes longer, whatever its own limit.
  std::chrono::milliseconds max_call = std::chrono::milliseconds::max();
};

/// The platform's answer to anybody.
struct Health {
  /// Its clock, to the second, if its answer says.
  std::optional<WallTime> time;
};

struct Registration {
  std::string delivery_mode;
  /// Given once, if the workspace had no token yet.
  std::optional<std::string> auth_token;
  std::optional<std::string> inbound_secret;
};

struct HeartbeatRequest {
  int active_tasks = 0;
  std::string current_task;
  std::int64_t uptime_seconds = 0;
};

struct HeartbeatReply {
  std::optional<std::string> inbound_secret;
};

struct ActivityQuery {
  std::string type = "a2a_receive";
  std::optional<std::string> since_id;
  std::optional<int> since_secs;
  /// Only rows strictly older than this RFC 3339 time; platforms before May 2026 ignore it.
  std::optional<std::string> before_ts;
  /// Only rows from or to that workspace; the same platforms ignore it.
  std::optional<std::string> peer_id;
  int limit = 100;
  /// Asks for `peer_name`, `peer_role` and `agent_card_url` of each row (`include=peer_info`).
  bool peer_info = false;
};

/// Raw rows of `/activity`. `document` owns `rows`.
struct ActivityPage {
  json::Document document;
  std::vector<json::Value> rows;
};

struct Peer {
  std::string id;
  std::string name;
  std::string role;
  std::string status;
};

/// What `/a2a` answered.
struct A2aReply {
  /// The peer polls: its answer comes to the inbox later.
  bool queued = false;
  /// The text of the peer's answer, when not queued.
  std::string text;
  /// The answer was a JSON-RPC or agent error; `text` says which.
  bool failed = false;
};

struct Delegation {
  std::string delegation_id;
  std::string status;
  bool idempotent_hit = false;
};

struct UploadedFile {
  std::string uri;
  std::string name;
  std::string mime_type;
  std::optional<std::int64_t> size;
};

/// How many files the platform accepts at a time; the default values are those of platforms that do
/// not say (platform-api.md 4.5).
struct UploadLimits {
  std::int64_t file_bytes = std::int64_t{25} << 20;
  /// Of all files of one message.
  std::int64_t total_bytes = std::int64_t{50} << 20;
  std::int64_t files = 64;
};

struct Broadcast {
  std::string status;
  /// To how many; nothing if the platform does not say.
  std::optional<std::int64_t> delivered;
};

struct Memory {
  std::string id;
  std::string scope;
  std::string content;
};

/// For `POST /workspaces/:id/activity`; texts are cut to the limits of molecule-mcp.md 6.
struct ActivityReport {
  std::string activity_type;
  std::string method;
  std::string summary;
  std::string target_id;
  std::string status;
  std::string error_detail;
};

/// The platform's HTTP API for one workspace: a function a call, headers built in one place,
/// statuses and bodies turned into results in one place (platform-api.md). Nothing here retries;
/// every function may be cancelled at any point.
class Client {
 public:
  /// Returns the current bearer token; empty: none. Called for every request, so that a rotated
  /// token is used at once.
  using Token = std::function<std::string()>;
  /// Called after a 401 with the token that was refused: reads the token's sources again. True if
  /// the token is another one now; the call is then made once more with it (the platform did
  /// nothing for the old one).
  using Renew = std::function<bool(std::string_view refused)>;

  Client(net::HttpClient& http, Endpoint endpoint, Token token, Renew renew = {});

  const Endpoint& endpoint() const { return endpoint_; }
  /// True if the platform has accepted the token of any call that needs one, except polls: they run
  /// beside the first register, whose answer decides at the start.
  bool accepted() const { return accepted_; }

  /// platform-api.md 0.9: asks if it answers at all. Public, and changes nothing.
  awaitable<Outcome<Health>> health();
  /// platform-api.md 1.1; `agent_card` is a JSON object's text.
  awaitable<Outcome<Registration>> register_workspace(std::string agent_card);
  /// platform-api.md 1.2
  awaitable<Outcome<HeartbeatReply>> heartbeat(HeartbeatRequest heartbeat);
  /// platform-api.md 4.1; 10 s.
  awaitable<Outcome<ActivityPage>> activity(ActivityQuery query);
  /// platform-api.md 1.5
  awaitable<Outcome<std::vector<Peer>>> peers();
  /// platform-api.md 2.3: the platform's object as minified JSON.
  awaitable<Outcome<std::string>> workspace_info();
  /// platform-api.md 3: one try of `message/send`; 30 s to connect, `timeout` for all of it. The
  /// caller keeps `message_id` the same on every try, so that the platform can tell a repetition.
  /// `in_reply_to`: the message's id that this answers, for `metadata`; empty: none.
  awaitable<Outcome<A2aReply>> send_message(std::string peer_id, std::string message_id,
                                            std::string text, std::chrono::milliseconds timeout,
                                            std::string in_reply_to = {});
  /// platform-api.md 5.1; 200 with `idempotent_hit` and 202 are both success.
  awaitable<Outcome<Delegation>> delegate(std::string target_id, std::string task,
                                          std::string idempotency_key);
  /// platform-api.md 5.2: rows, newest first, each as minified JSON with what is needed to find it.
  awaitable<Outcome<ActivityPage>> delegations();
  /// platform-api.md 4.3; an attachment is an uploaded file. A platform that knows repetitions by
  /// `message_id` shows one that it has seen no second time; others ignore it.
  awaitable<Outcome<void>> notify(std::string message, std::vector<UploadedFile> attachments,
                                  std::string message_id);
  /// platform-api.md 10. `not_found`: an older platform.
  awaitable<Outcome<UploadLimits>> upload_limits();
  /// platform-api.md 4.5; streamed from disk; the result is in the order of `files`.
  awaitable<Outcome<std::vector<UploadedFile>>> upload(std::vector<net::FormFile> files);
  enum class WebPage { unexpected, expected };
  /// platform-api.md 10: the bytes of a file that waits for this workspace, written to `sink` (an
  /// open file, which stays the caller's) as they come; more than `max_bytes` is `too_large`.
  /// `not_found`: it expired. A web page that is not expected is an edge's: `not_the_platform`. A
  /// failure leaves part of the file in the sink, or such a page.
  awaitable<Outcome<void>> fetch_upload(std::string file_id, int sink, std::size_t max_bytes,
                                        WebPage page = WebPage::unexpected);
  /// platform-api.md 10: the file is here, the platform may forget it.
  awaitable<Outcome<void>> ack_upload(std::string file_id);
  /// platform-api.md 10: every row up to `seq` was handled. `not_found`: an older platform, which
  /// does not need it.
  awaitable<Outcome<void>> ack_activity(std::int64_t seq);
  /// platform-api.md 10: the chat with the person, as the platform's minified JSON. `not_found`: an
  /// older platform.
  awaitable<Outcome<std::string>> chat_history(int limit, std::string before_ts);
  /// platform-api.md 10
  awaitable<Outcome<Broadcast>> broadcast(std::string message);
  /// platform-api.md 1.3; `agent_card` is a JSON object's text.
  awaitable<Outcome<void>> update_card(std::string agent_card);
  /// platform-api.md 6.1; the id of the new memory.
  awaitable<Outcome<Memory>> commit_memory(std::string content, std::string scope);
  /// platform-api.md 6.2
  awaitable<Outcome<std::vector<Memory>>> recall_memory(std::string query, std::string scope);
  /// platform-api.md 4.2
  awaitable<Outcome<void>> report_activity(ActivityReport report);

 private:
  /// If the caller's id is sent as X-Workspace-ID.
  enum class Identify { no, yes };
  /// The one place where headers are built. `path` may have a query; `body` is JSON or empty.
  net::HttpRequest request(std::string_view method, std::string_view path, std::string body = {},
                           Identify identify = Identify::no) const;
  Site site_of(const net::HttpRequest& request) const;
  void authorize(net::HttpRequest& request) const;
  /// `/workspaces/<own id>` and the rest.
  std::string own_path(std::string_view rest) const;
  /// What a success says about the token, for `accepted`.
  enum class Proves { token, nothing };
  /// One exchange, whose body `read` turns into the value; nothing from it is `malformed`.
  template <class T>
  awaitable<Outcome<T>> call(net::HttpRequest request, std::optional<T> (*read)(json::Document&),
                             WebPage page = WebPage::expected, Proves proves = Proves::token);
  /// What an answer without a value looks like: `{"status":…}`, anything, or a file that was
  /// written to the sink and is no web page.
  enum class Reply { status, any, no_page };
  /// The same for a call that gives no value.
  awaitable<Outcome<void>> command(net::HttpRequest request, Reply reply = Reply::status);

  net::HttpClient& http_;
  Endpoint endpoint_;
  Token token_;
  Renew renew_;
  bool accepted_ = false;
};

}  // namespace molecule::platform
