#include "platform/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text/text.hpp"
#include "platform/bodies.hpp"
#include "platform/classify.hpp"
#include "platform/history.hpp"
#include "platform/replies.hpp"
#include "platform/text_message.hpp"

namespace molecule::platform {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long each call may take; the caller of `send_message` chooses for itself.
constexpr milliseconds call_timeout = seconds(10);
constexpr milliseconds report_timeout = seconds(5);
/// The platform gives the workspace behind it 120 s.
constexpr milliseconds upload_timeout = seconds(150);
constexpr milliseconds fetch_timeout = seconds(600);
constexpr milliseconds peer_connect_timeout = seconds(30);
/// Of one page of `/activity` (platform-api.md 4.1).
constexpr int max_rows = 500;

/// Scheme, host and port as a browser would send them (platform-api.md 0.5): no path, no user,
/// no default port, so that it matches the Host header byte for byte.
std::string origin_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::string(url);
  const std::string scheme = text::lower(url.substr(0, scheme_end));
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  authority.remove_prefix(authority.rfind('@') + 1);
  const std::string_view default_port = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(default_port)) authority.remove_suffix(default_port.size());
  return fmt::format("{}://{}", scheme, authority);
}

std::string path_of(std::string_view url, std::string_view platform_url) {
  url.remove_prefix(platform_url.size());
  return std::string(url.substr(0, url.find('?')));
}

/// Parses a body with `read`; a body that does not match is an error too.
template <class T>
Outcome<T> read_body(const Site& site, Outcome<json::Document> body,
                     std::optional<T> (*read)(json::Document&)) {
  if (!body) return Failure{std::move(body.error())};
  std::optional<T> value = read(*body);
  if (!value) return Failure{malformed(site)};
  return std::move(*value);
}

net::HttpRequest with_timeout(net::HttpRequest request, std::chrono::milliseconds total) {
  request.total_timeout = total;
  return request;
}

}  // namespace

Client::Client(net::HttpClient& http, Endpoint endpoint, Token token, Renew renew,
               const Clock* clock)
    : http_(http),
      budget_(clock),
      endpoint_(std::move(endpoint)),
      token_(std::move(token)),
      renew_(std::move(renew)) {}

void Client::authorize(net::HttpRequest& request) const {
  std::erase_if(request.headers, [](const auto& header) { return header.name == "Authorization"; });
  if (const std::string token = token_(); !token.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + token});
  }
}

net::HttpRequest Client::request(std::string_view method, std::string_view path, std::string body,
                                 Identify identify) const {
  net::HttpRequest request;
  request.method = method;
  request.url = endpoint_.platform_url + std::string(path);
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"User-Agent", "molecule-mcp/" MOLECULE_VERSION});
  request.headers.push_back({"Origin", origin_of(endpoint_.platform_url)});
  authorize(request);
  if (identify == Identify::yes) {
    request.headers.push_back({"X-Workspace-ID", endpoint_.workspace_id});
  }
  if (!endpoint_.org_id.empty()) {
    request.headers.push_back({"X-Molecule-Org-Id", endpoint_.org_id});
  }
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  request.body = std::move(body);
  return request;
}

std::string Client::own_path(std::string_view rest) const {
  return fmt::format("/workspaces/{}{}", text::percent_encode(endpoint_.workspace_id), rest);
}

Site Client::site_of(const net::HttpRequest& request) const {
  Site site;
  site.call = request.method + " " + path_of(request.url, endpoint_.platform_url);
  site.origin = origin_of(endpoint_.platform_url);
  site.secret = token_();
  return site;
}

/// One request, unless what is left of the platform's limit is kept for others.
awaitable<Outcome<json::Document>> Client::exchange(Site site, net::HttpRequest request) {
  if (const auto wait = budget_.wait(RateBudget::purpose_of(site.call))) {
    Outcome<json::Document> refused = Failure{kept_back(site, budget_.limit(), *wait)};
    co_return refused;
  }
  budget_.spend();
  auto response = co_await http_.send(std::move(request));
  if (response) budget_.read(*response);
  Outcome<json::Document> body = classify(site, std::move(response));
  co_return body;
}

template <class T>
awaitable<Outcome<T>> Client::call(net::HttpRequest request,
                                   std::optional<T> (*read)(json::Document&), WebPage page,
                                   Proves proves) {
  Site site = site_of(request);
  site.refuses_pages = page == WebPage::unexpected;
  request.total_timeout = std::min(request.total_timeout, endpoint_.max_call_timeout);
  net::HttpRequest again = request;
  auto body = co_await exchange(site, std::move(request));
  if (!body && body.error().code == Errc::unauthorized && renew_ && renew_(site.secret)) {
    authorize(again);
    site.secret = token_();
    body = co_await exchange(site, std::move(again));
  }
  Outcome<T> outcome = read_body(site, std::move(body), read);
  if (outcome.ok() && proves == Proves::token) accepted_ = true;
  if (!outcome.ok() && outcome.error().code == Errc::unauthorized) {
    outcome.error().token_worked = accepted_;
  }
  co_return outcome;
}

awaitable<Outcome<void>> Client::command(net::HttpRequest request, Reply reply) {
  Outcome<void> outcome;
  if (reply == Reply::status) {
    auto status = co_await call(std::move(request), read_status);
    if (!status) outcome = Failure{std::move(status.error())};
  } else {
    const WebPage page = reply == Reply::any ? WebPage::expected : WebPage::unexpected;
    auto done = co_await call(std::move(request), read_nothing, page);
    if (!done) outcome = Failure{std::move(done.error())};
  }
  co_return outcome;
}

awaitable<Outcome<Health>> Client::health() {
  const std::chrono::milliseconds limit = std::min(call_timeout, endpoint_.max_call_timeout);
  net::HttpRequest get = with_timeout(request("GET", "/health"), limit);
  const Site site = site_of(get);
  auto exchange = co_await http_.send(std::move(get));
  Health health;
  if (exchange) health.time = parse_http_date(exchange->header("Date").value_or(""));
  const Outcome<json::Document> body = classify(site, std::move(exchange));
  Outcome<Health> outcome = health;
  if (!body) outcome = Failure{body.error()};
  co_return outcome;
}

awaitable<Outcome<Registration>> Client::register_workspace(std::string agent_card) {
  std::string body = register_body(endpoint_.workspace_id, agent_card);
  return call(with_timeout(request("POST", "/registry/register", std::move(body)), call_timeout),
              read_registration);
}

awaitable<Outcome<HeartbeatReply>> Client::heartbeat(HeartbeatRequest heartbeat) {
  std::string body = heartbeat_body(endpoint_.workspace_id, heartbeat);
  return call(with_timeout(request("POST", "/registry/heartbeat", std::move(body)), call_timeout),
              read_heartbeat);
}

awaitable<Outcome<ActivityPage>> Client::activity(ActivityQuery query) {
  const std::string since_secs = query.since_secs ? fmt::format("{}", *query.since_secs) : "";
  const std::string parameters = query_string({{"type", query.type},
                                               {"source", query.source},
                                               {"since_id", query.since_id.value_or("")},
                                               {"since_secs", since_secs},
                                               {"before_ts", query.before_ts.value_or("")},
                                               {"peer_id", query.peer_id.value_or("")},
                                               {"include", query.peer_info ? "peer_info" : ""},
                                               {"limit", fmt::format("{}", query.limit)}});
  net::HttpRequest get =
      with_timeout(request("GET", own_path("/activity" + parameters)), call_timeout);
  // A row can be as large as a message, and larger once its text is escaped. A lower limit would
  // let one such row block the inbox forever.
  get.max_response_bytes = std::size_t{64} << 20;
  return call(std::move(get), read_rows, WebPage::expected, Proves::nothing);
}

awaitable<Outcome<std::vector<Peer>>> Client::peers() {
  const std::string path =
      fmt::format("/registry/{}/peers", text::percent_encode(endpoint_.workspace_id));
  return call(with_timeout(request("GET", path, {}, Identify::yes), call_timeout), read_peers);
}

awaitable<Outcome<std::string>> Client::workspace_info() {
  return call(with_timeout(request("GET", own_path("")), call_timeout), read_workspace,
              WebPage::expected, Proves::nothing);
}

awaitable<Outcome<A2aReply>> Client::send_message(std::string peer_id, std::string message_id,
                                                  std::string text,
                                                  std::chrono::milliseconds timeout,
                                                  std::string in_reply_to, int hops) {
  const std::string path = fmt::format("/workspaces/{}/a2a", text::percent_encode(peer_id));
  std::string body = to_json(TextMessage{.id = message_id,
                                         .method = "message/send",
                                         .message_id = message_id,
                                         .text = text,
                                         .in_reply_to = in_reply_to,
                                         .hops = hops});
  net::HttpRequest send = request("POST", path, std::move(body), Identify::yes);
  send.connect_timeout = std::min(peer_connect_timeout, timeout);
  return call(with_timeout(std::move(send), timeout), read_a2a);
}

awaitable<Outcome<Delegation>> Client::delegate(std::string target_id, std::string task,
                                                std::string idempotency_key) {
  std::string body =
      text_fields({{"target_id", target_id}, {"task", task}, {"idempotency_key", idempotency_key}});
  return call(request("POST", own_path("/delegate"), std::move(body)), read_delegation);
}

awaitable<Outcome<ActivityPage>> Client::delegations() {
  return call(with_timeout(request("GET", own_path("/delegations")), call_timeout), read_rows);
}

awaitable<Outcome<void>> Client::notify(std::string message, std::vector<UploadedFile> attachments,
                                        std::string message_id, std::string in_reply_to) {
  return command(request("POST", own_path("/notify"),
                         notify_body(message, attachments, message_id, in_reply_to)));
}

awaitable<Outcome<UploadLimits>> Client::upload_limits() {
  return call(with_timeout(request("GET", "/uploads/limits"), call_timeout), read_upload_limits,
              WebPage::expected, Proves::nothing);
}

awaitable<Outcome<std::vector<UploadedFile>>> Client::upload(std::vector<net::FormFile> files) {
  net::HttpRequest send = request("POST", own_path("/chat/uploads"));
  send.files = std::move(files);
  return call(with_timeout(std::move(send), upload_timeout), read_uploads);
}

awaitable<Outcome<void>> Client::fetch_upload(std::string file_id, int sink, std::size_t max_bytes,
                                              WebPage page) {
  const std::string path =
      own_path(fmt::format("/pending-uploads/{}/content", text::percent_encode(file_id)));
  net::HttpRequest get = with_timeout(request("GET", path), fetch_timeout);
  get.sink = sink;
  get.max_sink_bytes = max_bytes;
  return command(std::move(get), page == WebPage::expected ? Reply::any : Reply::no_page);
}

awaitable<Outcome<void>> Client::ack_upload(std::string file_id) {
  const std::string path =
      own_path(fmt::format("/pending-uploads/{}/ack", text::percent_encode(file_id)));
  return command(with_timeout(request("POST", path), call_timeout), Reply::any);
}

awaitable<Outcome<void>> Client::ack_activity(std::int64_t seq) {
  return command(
      with_timeout(request("POST", own_path("/activity/ack"), ack_body(seq)), call_timeout),
      Reply::any);
}

awaitable<Outcome<std::string>> Client::chat_history(int limit, std::string before_ts) {
  const std::string parameters =
      query_string({{"limit", fmt::format("{}", limit)}, {"before_ts", before_ts}});
  auto history = co_await call(
      with_timeout(request("GET", own_path("/chat-history" + parameters)), call_timeout),
      read_history);
  if (history.ok() || !history.error().older_platform) co_return history;
  ActivityQuery query;
  query.source = "canvas";
  query.limit = max_rows;
  if (!before_ts.empty()) query.before_ts = before_ts;
  auto page = co_await activity(std::move(query));
  if (!page.ok()) {
    history = Failure{std::move(page.error())};
    co_return history;
  }
  const bool all = page->rows.size() < static_cast<std::size_t>(max_rows);
  history = history_of_rows(*page, static_cast<std::size_t>(limit), before_ts, all);
  co_return history;
}

awaitable<Outcome<Broadcast>> Client::broadcast(std::string message) {
  return call(request("POST", own_path("/broadcast"), text_fields({{"message", message}})),
              read_broadcast);
}

awaitable<Outcome<void>> Client::update_card(std::string agent_card) {
  std::string body = card_body(endpoint_.workspace_id, agent_card);
  return command(
      with_timeout(request("POST", "/registry/update-card", std::move(body)), call_timeout));
}

awaitable<Outcome<Memory>> Client::commit_memory(std::string content, std::string scope) {
  std::string body = text_fields({{"content", content}, {"scope", scope}});
  return call(request("POST", own_path("/memories"), std::move(body)), read_memory);
}

awaitable<Outcome<std::vector<Memory>>> Client::recall_memory(std::string query,
                                                              std::string scope) {
  const std::string parameters = query_string({{"q", query}, {"scope", scope}});
  return call(with_timeout(request("GET", own_path("/memories" + parameters)), call_timeout),
              read_memories);
}

awaitable<Outcome<RequestCreated>> Client::create_request(NewRequest wanted) {
  return call(with_timeout(request("POST", own_path("/requests"), to_json(wanted)), call_timeout),
              read_created);
}

awaitable<Outcome<ActivityPage>> Client::requests(Side side, std::string status) {
  const std::string path = side == Side::made ? "/requests" : "/requests/inbox";
  const std::string parameters = query_string({{"status", status}});
  return call(with_timeout(request("GET", own_path(path + parameters)), call_timeout), read_rows);
}

awaitable<Outcome<std::string>> Client::request_thread(std::string id) {
  const std::string path = own_path("/requests/" + text::percent_encode(id));
  return call(with_timeout(request("GET", path), call_timeout), read_thread);
}

awaitable<Outcome<void>> Client::respond_request(std::string id, std::string action,
                                                 std::string message) {
  const std::string path = own_path(fmt::format("/requests/{}/respond", text::percent_encode(id)));
  std::string body = text_fields({{"action", action}, {"message", message}});
  return command(with_timeout(request("POST", path, std::move(body)), call_timeout));
}

awaitable<Outcome<void>> Client::add_request_message(std::string id, std::string body) {
  const std::string path = own_path(fmt::format("/requests/{}/messages", text::percent_encode(id)));
  return command(with_timeout(request("POST", path, text_fields({{"body", body}})), call_timeout));
}

awaitable<Outcome<void>> Client::cancel_request(std::string id) {
  const std::string path = own_path(fmt::format("/requests/{}/cancel", text::percent_encode(id)));
  return command(with_timeout(request("POST", path, "{}"), call_timeout));
}

awaitable<Outcome<ActivityPage>> Client::session_search(std::string words, int limit) {
  const std::string parameters = query_string({{"q", words}, {"limit", std::to_string(limit)}});
  return call(with_timeout(request("GET", own_path("/session-search" + parameters)), call_timeout),
              read_rows);
}

awaitable<Outcome<NewWorkspace>> Client::create_workspace(std::string name) {
  json::Writer body;
  {
    auto o = body.object();
    o.field("name", name);
    o.field("external", true);
    o.field("runtime", "external");
    o.field("delivery_mode", "poll");
  }
  return call(request("POST", "/workspaces", std::move(body).take()), read_new_workspace);
}

awaitable<Outcome<void>> Client::report_activity(ActivityReport report) {
  return command(
      with_timeout(request("POST", own_path("/activity"), report_body(report)), report_timeout));
}

}  // namespace molecule::platform
