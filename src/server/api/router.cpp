#include "server/api/router.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "server/access/access.hpp"
#include "server/api/limits/client_rate.hpp"
#include "server/http/http_request.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server {

namespace {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_variable(std::string_view pattern) {
  return pattern.starts_with(':');
}

bool matches(const std::vector<std::string_view>& pattern,
             const std::vector<std::string_view>& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(),
                    [](std::string_view wanted, std::string_view segment) {
                      return is_variable(wanted) ? !segment.empty() : wanted == segment;
                    });
}

/// Handlers store and echo the path and the query, so both must be UTF-8.
bool is_text(const Request& request) {
  if (!text::valid_utf8(decode_segment(request.path))) return false;
  return std::all_of(request.query.begin(), request.query.end(), [](const auto& item) {
    return text::valid_utf8(item.first) && text::valid_utf8(item.second);
  });
}

/// Redirects to the same resource without the trailing slash (platform-api.md 0). Relative, because
/// a proxy may have removed a prefix from the path.
Reply redirect(const Request& request, std::string_view path) {
  std::string location;
  for (std::size_t slashes = path.size(); slashes < request.path.size(); ++slashes) {
    location += "../";
  }
  location += text::percent_encode(decode_segment(path.substr(path.rfind('/') + 1)));
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    location += separator + text::percent_encode(name) + '=' + text::percent_encode(value);
    separator = '&';
  }
  Reply reply = text_reply(request.method == "GET" ? 301 : 307, "");
  reply.headers.emplace_back("Location", std::move(location));
  return reply;
}

Reply unavailable() {
  Reply reply = json_reply(503, R"({"error":"platform datastore unavailable — retry shortly",)"
                                R"("code":"platform_unavailable"})");
  reply.headers.emplace_back("Retry-After", "2");
  return reply;
}

/// False for a success without the access decision that the route leaves to its handler.
bool is_decided(const Route& route, const Context& context, const Reply& reply) {
  if (route.access != Access::body_workspace || context.body_access_decided) return true;
  if (reply.status >= 400) return true;
  log::error("{} {}: the handler made no access decision", route.method, route.pattern);
  return false;
}

bool is_wrong(const Caller& sender, const Request& request) {
  return sender.kind == Caller::Kind::nobody && request.bearer().has_value();
}

Reply refuse_sender(const Caller& sender, const RequestRates::Verdict& rate) {
  return sender.kind == Caller::Kind::nobody ? client_refusal(rate) : rate_refusal(rate);
}

/// How often a request is tried that other transactions are in the way of.
constexpr int max_tries = 12;
constexpr std::chrono::seconds max_trying{3};

/// Doubles from a few milliseconds to a quarter of a second, so that two requests in each other's
/// way do not meet again.
std::chrono::milliseconds conflict_pause(int tries) {
  const double longest = std::min(4.0 * std::exp2(tries), 250.0);
  return std::chrono::milliseconds(static_cast<int>(longest * (0.5 + random_unit() / 2)));
}

/// The reply to a request that failed.
Reply failure_reply(const Route& route, const std::exception& error) {
  log::error("{} {}: {}", route.method, route.pattern, error.what());
  const auto* failure = dynamic_cast<const StoreError*>(&error);
  const bool later = failure != nullptr && failure->kind() != StoreError::Kind::failed;
  return later ? unavailable() : error_reply(500, "internal error");
}

}  // namespace

Router::Router(Services& services, const std::vector<Route>& routes) : services_(services) {
  for (const Route& route : routes) {
    std::vector<std::string_view> segments = split_path(route.pattern);
    const std::size_t size = segments.size();
    RequestMetrics::Route& use = services_.requests.add(route.method, route.pattern);
    const auto variables =
        static_cast<std::size_t>(std::count_if(segments.begin(), segments.end(), is_variable));
    entries_.emplace(
        size,
        Entry{
            .segments = std::move(segments), .variables = variables, .route = route, .use = &use});
  }
}

const Router::Entry* Router::find(std::string_view method, std::string_view path,
                                  std::vector<std::string>& args) {
  std::vector<std::string_view> segments = split_path(path);
  // Decoded after the split: an encoded slash belongs to its segment.
  std::vector<std::string> decoded;
  decoded.reserve(segments.size());
  for (std::string_view& segment : segments) {
    if (segment.find('%') == std::string_view::npos) continue;
    segment = decoded.emplace_back(decode_segment(segment));
  }
  const Entry* best = nullptr;
  const auto [first, last] = entries_.equal_range(segments.size());
  for (auto entry = first; entry != last; ++entry) {
    const Entry& candidate = entry->second;
    if (candidate.route.method != method || !matches(candidate.segments, segments)) continue;
    // A fixed segment is a better match than a variable one.
    if (best == nullptr || candidate.variables < best->variables) best = &candidate;
  }
  if (best == nullptr) return nullptr;
  args.clear();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_variable(best->segments[i])) continue;
    // UUIDs are stored in lower case and match in either.
    args.push_back(is_uuid(segments[i]) ? text::lower(segments[i]) : std::string(segments[i]));
  }
  return best;
}

awaitable<Reply> Router::answer_unknown(Request request) {
  Caller sender;
  try {
    Context context(services_);
    sender = co_await identify(context, request);
  } catch (const std::exception& error) {
    log::debug("{}: {}", request.path, error.what());
  }
  const RequestRates::Verdict rate = count_request(sender, false, request.client);
  Reply reply = rate.refused ? refuse_sender(sender, rate) : unknown_reply(request);
  reply.wrong_credential = is_wrong(sender, request);
  add_rate_headers(reply, rate);
  services_.requests.count_unmatched(reply.status);
  co_return reply;
}

Reply Router::unknown_reply(Request& request) {
  std::string_view path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const bool known =
      path.size() < request.path.size() && find(request.method, path, request.args) != nullptr;
  return known ? redirect(request, path) : text_reply(404, "404 page not found");
}

awaitable<void> Router::publish(Context& context) {
  try {
    co_await services_.events.publish(context.events.take_frames());
  } catch (const std::exception& error) {
    // The transaction is committed, so the reply still says success.
    log::error("events could not be sent: {}", error.what());
  }
}

RequestRates::Verdict Router::count_request(const Caller& sender, bool presence,
                                            const std::optional<asio::ip::address>& client) {
  if (sender.kind == Caller::Kind::nobody) return count_client(services_, client);
  const std::int64_t per_minute = services_.limits.requests_per_minute;
  if (per_minute == 0 || sender.kind != Caller::Kind::workspace) return {};
  RequestRates::Verdict verdict = services_.rates.count(sender.token_id, presence, per_minute);
  if (verdict.refused) services_.refusals.count("rate", sender.workspace_id);
  return verdict;
}

awaitable<std::optional<Reply>> Router::refusal(Context& context, const Route& route,
                                                Request& request,
                                                std::optional<RequestRates::Verdict>& rate) {
  const bool for_strangers = route.access == Access::anyone;
  Caller known;
  if (for_strangers) {
    known = co_await identify(context, request);
    context.wrong_credential = is_wrong(known, request);
  } else {
    Result<Caller, Reply> caller = co_await authorize(context, route.access, request);
    if (!caller) {
      Reply reply = std::move(caller.error());
      add_rate_headers(reply, count_refused(services_, request.client, reply));
      co_return reply;
    }
    request.caller = *std::move(caller);
  }
  const Caller& sender = for_strangers ? known : request.caller;
  const bool counts = for_strangers || sender.kind != Caller::Kind::nobody;
  if (!rate && counts) {
    rate = count_request(sender, is_presence(route.method, route.pattern), request.client);
  }
  if (!rate) rate.emplace();
  if (!rate->refused) co_return std::nullopt;
  Reply reply = refuse_sender(sender, *rate);
  reply.wrong_credential = context.wrong_credential;
  add_rate_headers(reply, *rate);
  co_return reply;
}

awaitable<Reply> Router::handle(Request request) {
  // Nothing written to a removed file would be kept.
  if (services_.store.replaced()) co_return unavailable();
  request.head = request.method == "HEAD";
  if (request.head) request.method = "GET";
  if (!is_text(request)) co_return error_reply(400, "the path or the query is not UTF-8");
  const Entry* entry = find(request.method, request.path, request.args);
  if (entry == nullptr) co_return co_await answer_unknown(std::move(request));
  const Route& route = entry->route;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Reply reply;
  const RequestMetrics::Measured measured(*entry->use, request.arrived, reply);
  std::optional<RequestRates::Verdict> rate;
  // Of a request that cannot be tried again, nothing is copied.
  const bool repeatable = route.method != "GET" && services_.store.shared();
  const auto give_up = std::chrono::steady_clock::now() + max_trying;
  for (int tries = 1; repeatable && tries < max_tries && std::chrono::steady_clock::now() < give_up;
       ++tries) {
    std::optional<Reply> made = co_await attempt(route, request, false, rate);
    if (made) {
      reply = *std::move(made);
      co_return reply;
    }
    asio::steady_timer pause(executor, conflict_pause(tries));
    co_await pause.async_wait(asio::use_awaitable);
  }
  std::optional<Reply> made = co_await attempt(route, std::move(request), true, rate);
  reply = *std::move(made);
  co_return reply;
}

awaitable<std::optional<Reply>> Router::attempt(const Route& route, Request request, bool last,
                                                std::optional<RequestRates::Verdict>& rate) {
  std::optional<Reply> made(std::in_place);
  Reply& reply = *made;
  try {
    Context context(services_);
    if (route.begins()) {
      co_await context.begin_writing();
      // What a request reads and then changes is of what its path names, or of the sender.
      if (!request.args.empty()) context.store.lock(request.args.front());
    }
    std::optional<Reply> refused = co_await refusal(context, route, request, rate);
    if (refused) co_return refused;
    const std::optional<asio::ip::address> client = request.client;
    reply = co_await route.handler(context, std::move(request));
    if (!is_decided(route, context, reply)) reply = error_reply(500, "internal error");
    reply.wrong_credential = context.wrong_credential;
    if (is_proved_by_handler(route.access) && !context.credential_shown) {
      rate = count_refused(services_, client, reply);
    }
    reply.policy = route.policy;
    add_rate_headers(reply, *rate);
    if (reply.status >= 400) co_return made;
    if (context.writing()) {
      if (context.events.has_rows()) co_await context.events.write(context.store);
      co_await context.store.commit();
    }
    if (context.events.has_frames()) co_await publish(context);
    if (context.tokens_revoked) co_await services_.events.close_revoked();
  } catch (const StoreError& error) {
    if (!last && error.kind() == StoreError::Kind::conflict) co_return std::nullopt;
    reply = failure_reply(route, error);
  } catch (const std::exception& error) {
    reply = failure_reply(route, error);
  }
  co_return made;
}

awaitable<Result<Caller, Reply>> Router::admit(Request request) {
  const Entry* entry = find(request.method, request.path, request.args);
  Failure refusal{text_reply(404, "404 page not found")};
  if (entry == nullptr) co_return refusal;
  try {
    Context context(services_);
    Result<Caller, Reply> caller = co_await authorize(context, entry->route.access, request);
    if (!caller) count_refused(services_, request.client, caller.error());
    co_return caller;
  } catch (const std::exception& error) {
    refusal.error = failure_reply(entry->route, error);
  }
  co_return refusal;
}

}  // namespace molecule::server
