#include "server/api/router.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "base/log.hpp"
#include "base/sqlite.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"

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

/// What handlers store and repeat is text.
bool is_text(const Request& request) {
  if (!text::valid_utf8(request.path)) return false;
  return std::all_of(request.query.begin(), request.query.end(), [](const auto& item) {
    return text::valid_utf8(item.first) && text::valid_utf8(item.second);
  });
}

/// The same resource without the slashes at the end (platform-api.md 0). Relative, as a proxy may
/// have taken a prefix from the path.
Reply redirect(const Request& request, std::string_view path) {
  std::string location;
  for (std::size_t slashes = path.size(); slashes < request.path.size(); ++slashes) {
    location += "../";
  }
  location += text::percent_encode(path.substr(path.rfind('/') + 1));
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
  return json_reply(503, R"({"error":"platform datastore unavailable — retry shortly",)"
                         R"("code":"platform_unavailable"})");
}

}  // namespace

Router::Router(Context& context, const std::vector<Route>& routes) : context_(context) {
  for (const Route& route : routes) {
    std::vector<std::string_view> segments = split_path(route.pattern);
    const std::size_t size = segments.size();
    entries_.emplace(size, Entry{.segments = std::move(segments), .route = route});
  }
}

const Router::Entry* Router::find(std::string_view method, std::string_view path,
                                  std::vector<std::string>& args) {
  const std::vector<std::string_view> segments = split_path(path);
  const Entry* best = nullptr;
  const auto [first, last] = entries_.equal_range(segments.size());
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second.route.method != method) continue;
    bool matches = true;
    std::vector<std::string> found;
    for (std::size_t i = 0; i < segments.size() && matches; ++i) {
      const std::string_view pattern = entry->second.segments[i];
      if (pattern.starts_with(':')) {
        matches = !segments[i].empty();
        // The databases of the platform read a UUID in either case.
        found.push_back(is_uuid(segments[i]) ? text::lower(segments[i]) : std::string(segments[i]));
      } else {
        matches = pattern == segments[i];
      }
    }
    // A fixed segment is a better match than a variable one.
    if (!matches || (best != nullptr && found.size() >= args.size())) continue;
    best = &entry->second;
    args = std::move(found);
  }
  return best;
}

Reply Router::run(const Route& route, const Request& request, bool& committed) {
  if (route.method == "GET") return route.handler(context_, request);
  sqlite::Transaction transaction(context_.database);
  Reply reply = route.handler(context_, request);
  if (reply.status >= 400) return reply;
  transaction.commit();
  committed = true;
  return reply;
}

void Router::publish() {
  try {
    context_.events.publish();
  } catch (const std::exception& error) {
    // What was committed stays so: the one who asked for it is told of success.
    log::error("events could not be sent: {}", error.what());
    context_.events.discard();
  }
}

Reply Router::handle(Request request) {
  if (request.method == "HEAD") request.method = "GET";
  Reply reply;
  const Entry* entry = nullptr;
  bool committed = false;
  try {
    if (!is_text(request)) {
      reply = error_reply(400, "the path or the query is not UTF-8");
    } else if (entry = find(request.method, request.path, request.args); entry != nullptr) {
      reply = run(entry->route, request, committed);
    } else {
      std::string_view path = request.path;
      while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
      const bool known =
          path.size() < request.path.size() && find(request.method, path, request.args) != nullptr;
      reply = known ? redirect(request, path) : text_reply(404, "404 page not found");
    }
  } catch (const sqlite::Error& error) {
    log::error("{} {}: {}", request.method, entry->route.pattern, error.what());
    reply =
        error.cannot_write() || error.busy() ? unavailable() : error_reply(500, "internal error");
  } catch (const std::exception& error) {
    log::error("{} {}: {}", request.method, entry != nullptr ? entry->route.pattern : "",
               error.what());
    reply = error_reply(500, "internal error");
  }
  committed ? publish() : context_.events.discard();
  return reply;
}

}  // namespace molecule::server
