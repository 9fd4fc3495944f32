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
#include "platform/rate_budget.hpp"
#include "platform/requests.hpp"

namespace molecule::platform {

struct Site;
class EventReader;

/// What every call for one workspace needs.
struct Endpoint {
  /// Without trailing slashes.
  std::string platform_url;
  std::string workspace_id;
  /// Sent as `X-Molecule-Org-Id` unless empty.
  std::string org_id;
  /// An upper bound for the time limit of every call.
  std::chrono::milliseconds max_call_timeout = std::chrono::milliseconds::max();
};

/// The platform's public health report.
struct Health {
  /// The platform's clock, to the second, if the response has a `Date`.
  std::optional<WallTime> time;
};

struct Registration {
  std::string delivery_mode;
  /// Issued once, if the workspace had no token yet.
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
  /// `canvas`: only rows of the user's chat; empty: all.
  std::string source = {};
  std::optional<std::string> since_id;
  std::optional<int> since_secs;
  /// Only rows strictly older than this RFC 3339 time. Platforms before May 2026 ignore it.
  std::optional<std::string> before_ts;
  /// Only rows from or to this workspace. Platforms before May 2026 ignore it.
  std::optional<std::string> peer_id;
  int limit = 100;
  /// Adds `peer_name`, `peer_role` and `agent_card_url` to each row (`include=peer_info`).
  bool peer_info = false;
};

/// Raw rows of `/activity`; the caller interprets them. `document` owns what `rows` point to.
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

/// The reply of `/a2a`.
struct A2aReply {
  /// The peer polls: its answer arrives in the inbox later.
  bool queued = false;
  /// The text of the peer's answer, unless queued.
  std::string text;
  /// The peer answered with a JSON-RPC or agent error; `text` holds it.
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

/// The platform's limits for uploads. The defaults are those of platforms that do not report any
/// (platform-api.md 4.5).
struct UploadLimits {
  std::int64_t file_bytes = std::int64_t{25} << 20;
  /// For all files of one message together.
  std::int64_t total_bytes = std::int64_t{50} << 20;
  std::int64_t files = 64;
};

struct Broadcast {
  std::string status;
  /// The number of recipients, if the platform reports it.
  std::optional<std::int64_t> delivered;
};

struct Memory {
  std::string id;
  std::string scope;
  std::string content;
};

struct NewWorkspace {
  std::string id;
  /// Empty if the platform issues it at the first register.
  std::string token;
};

/// For `POST /workspaces/:id/activity`. Texts are cut to the limits of molecule-mcp.md 6.
struct ActivityReport {
  std::string activity_type;
  std::string method;
  std::string summary;
  std::string target_id;
  std::string status;
  std::string error_detail;
};

/// The platform's HTTP API for one workspace (platform-api.md; each function names its section).
/// One function per call; headers are built in one place, and statuses and bodies become results in
/// one place. Nothing is retried except once after a 401 (see `Renew`). Every call may be cancelled
/// at any point. Calls give up after 10 s unless noted; `delegate`, `notify`, `broadcast` and
/// `commit_memory` after the 30 s that are the default of `net::HttpRequest`.
class Client {
 public:
  /// Returns the current bearer token, or an empty string to send none. Called for every request,
  /// so a rotated token takes effect at once.
  using Token = std::function<std::string()>;
  /// Called after a 401 with the rejected token, to read the token's sources again. Returns true if
  /// the token has changed; the call is then repeated once, which is safe because the platform did
  /// nothing.
  using Renew = std::function<bool(std::string_view refused)>;

  /// With a clock, the last calls that the platform allows are kept for staying online: others fail
  /// as `rate_limited` without a request (`RateBudget`).
  Client(net::HttpClient& http, Endpoint endpoint, Token token, Renew renew = {},
         const Clock* clock = nullptr);

  const Endpoint& endpoint() const { return endpoint_; }
  /// True once the platform has accepted the token in any authenticated call. Polls do not count:
  /// at startup they run beside the first register, whose answer decides.
  bool accepted() const { return accepted_; }

  /// platform-api.md 0.9: whether the platform responds at all. Public, and has no side effects.
  awaitable<Outcome<Health>> health();
  /// platform-api.md 1.1; `agent_card` is the text of a JSON object.
  awaitable<Outcome<Registration>> register_workspace(std::string agent_card);
  /// platform-api.md 1.2
  awaitable<Outcome<HeartbeatReply>> heartbeat(HeartbeatRequest heartbeat);
  /// platform-api.md 4.1
  awaitable<Outcome<ActivityPage>> activity(ActivityQuery query);
  /// platform-api.md 2.10: opens the workspace's event stream; the answer must begin within 10 s.
  /// Anything but an event stream is an error: `not_the_platform` for a 2xx of another kind.
  /// Include platform/events/event_reader.hpp.
  awaitable<Outcome<EventReader>> events_stream();
  /// platform-api.md 1.5
  awaitable<Outcome<std::vector<Peer>>> peers();
  /// platform-api.md 2.3: the platform's object as minified JSON.
  awaitable<Outcome<std::string>> workspace_info();
  /// platform-api.md 3: one attempt at `message/send`, with 30 s to connect and `timeout` in total.
  /// Use the same `message_id` for every attempt, so that the platform can detect repeats.
  /// `in_reply_to`: the id of the message being answered, sent in `metadata`; empty if none.
  /// `hops`: how many agents the chain of messages has passed, by which loops are stopped;
  /// negative: unsaid.
  awaitable<Outcome<A2aReply>> send_message(std::string peer_id, std::string message_id,
                                            std::string text, std::chrono::milliseconds timeout,
                                            std::string in_reply_to = {}, int hops = -1);
  /// platform-api.md 5.1; a 200 with `idempotent_hit` and a 202 both count as success.
  awaitable<Outcome<Delegation>> delegate(std::string target_id, std::string task,
                                          std::string idempotency_key);
  /// platform-api.md 5.2: the delegation rows, newest first.
  awaitable<Outcome<ActivityPage>> delegations();
  /// platform-api.md 4.3: a message to the user; attachments are uploaded files. Platforms that
  /// deduplicate by `message_id` show a repeat only once; older ones ignore the id. `in_reply_to`:
  /// the id of the user's message being answered; empty if none.
  awaitable<Outcome<void>> notify(std::string message, std::vector<UploadedFile> attachments,
                                  std::string message_id, std::string in_reply_to = {});
  /// platform-api.md 10. `not_found`: an older platform.
  awaitable<Outcome<UploadLimits>> upload_limits();
  /// platform-api.md 4.5: uploads files, streamed from disk. The results are in the order of
  /// `files`.
  awaitable<Outcome<std::vector<UploadedFile>>> upload(std::vector<net::FormFile> files);
  enum class WebPage { unexpected, expected };
  /// platform-api.md 10: downloads a file that is waiting for this workspace into `sink`, an open
  /// file that the caller owns; 600 s. More than `max_bytes` gives `too_large`; an expired file
  /// gives `not_found`. A web page comes from a proxy (`not_the_platform`), unless one is expected.
  /// After a failure the sink may hold part of the file, or the page.
  awaitable<Outcome<void>> fetch_upload(std::string file_id, int sink, std::size_t max_bytes,
                                        WebPage page = WebPage::unexpected);
  /// platform-api.md 10: tells the platform that it may delete the file.
  awaitable<Outcome<void>> ack_upload(std::string file_id);
  /// platform-api.md 10: acknowledges every row up to `seq`. `not_found`: an older platform, which
  /// needs no acknowledgement.
  awaitable<Outcome<void>> ack_activity(std::int64_t seq);
  /// platform-api.md 10: the chat with the user, as the platform's minified JSON; of an older
  /// platform, in the same form, what `/activity` has of it (platform-api.md 4.4).
  awaitable<Outcome<std::string>> chat_history(int limit, std::string before_ts);
  /// platform-api.md 10: broadcasts `message`; the platform decides which workspaces receive it.
  awaitable<Outcome<Broadcast>> broadcast(std::string message);
  /// platform-api.md 1.3; `agent_card` is the text of a JSON object.
  awaitable<Outcome<void>> update_card(std::string agent_card);
  /// platform-api.md 6.1: the new memory, with its id.
  awaitable<Outcome<Memory>> commit_memory(std::string content, std::string scope);
  /// platform-api.md 6.2
  awaitable<Outcome<std::vector<Memory>>> recall_memory(std::string query, std::string scope);
  /// page.md 3.2: asks the person or a peer. `not_found`: an older platform, or no such peer.
  awaitable<Outcome<RequestCreated>> create_request(NewRequest request);
  enum class Side { made, received };
  /// page.md 3.2: the newest requests that this workspace made or received, of one status unless it
  /// is empty. Raw rows, as `activity`.
  awaitable<Outcome<ActivityPage>> requests(Side side, std::string status);
  /// page.md 3.2: `{"request","messages"}` as minified JSON.
  awaitable<Outcome<std::string>> request_thread(std::string id);
  /// page.md 3.2: `action` is the status that it gets.
  awaitable<Outcome<void>> respond_request(std::string id, std::string action, std::string message);
  awaitable<Outcome<void>> add_request_message(std::string id, std::string body);
  awaitable<Outcome<void>> cancel_request(std::string id);
  /// platform-api.md 4.4: rows of this workspace's activity and memories that contain `words`,
  /// newest first.
  awaitable<Outcome<ActivityPage>> session_search(std::string words, int limit);
  /// platform-api.md 2.1: a new external workspace that polls. The token must be an admin's.
  awaitable<Outcome<NewWorkspace>> create_workspace(std::string name);
  /// platform-api.md 4.2; 5 s.
  awaitable<Outcome<void>> report_activity(ActivityReport report);

 private:
  /// Whether to send the workspace's id as `X-Workspace-ID`.
  enum class Identify { no, yes };
  /// Builds every request and its headers. `path` may include a query; `body` is JSON or empty.
  net::HttpRequest request(std::string_view method, std::string_view path, std::string body = {},
                           Identify identify = Identify::no) const;
  Site site_of(const net::HttpRequest& request) const;
  void authorize(net::HttpRequest& request) const;
  /// `/workspaces/<own id>` followed by `rest`.
  std::string own_path(std::string_view rest) const;
  /// Whether a success shows that the token is valid, for `accepted`.
  enum class Proves { token, nothing };
  /// Performs one exchange and parses the body with `read`; a body it cannot read is `malformed`.
  template <class T>
  awaitable<Outcome<T>> call(net::HttpRequest request, std::optional<T> (*read)(json::Document&),
                             WebPage page = WebPage::expected, Proves proves = Proves::token);
  /// What to expect of a reply without a value: `{"status":…}`, anything, or a file written to the
  /// sink that is not a web page.
  enum class Reply { status, any, no_page };
  /// `call` for a reply without a value.
  awaitable<Outcome<void>> command(net::HttpRequest request, Reply reply = Reply::status);

  awaitable<Outcome<json::Document>> exchange(Site site, net::HttpRequest request);

  net::HttpClient& http_;
  RateBudget budget_;
  Endpoint endpoint_;
  Token token_;
  Renew renew_;
  bool accepted_ = false;
};

}  // namespace molecule::platform
