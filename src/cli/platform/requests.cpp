#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "cli/age.hpp"
#include "cli/commands/help.hpp"
#include "cli/messages/input.hpp"
#include "cli/output/short_ids.hpp"
#include "cli/output/terminal.hpp"
#include "cli/output/text_table.hpp"
#include "cli/platform/peers.hpp"
#include "cli/platform/platform_commands.hpp"
#include "cli/session/choose.hpp"

namespace molecule::cli {

namespace {

using Side = platform::Client::Side;
using Names = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::string_view, 6> statuses{"pending",  "info_requested", "done",
                                                   "approved", "rejected",       "cancelled"};
/// What ends a request: `approved` is the user's word, which the platform explains.
constexpr std::array<std::string_view, 3> decisions{"done", "rejected", "approved"};
constexpr std::array<std::string_view, 3> subcommands{"new", "respond", "cancel"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string string_of(json::Value object, std::string_view key) {
  return text::sanitize(object[key].string_or(""));
}

struct Both {
  platform::ActivityPage mine;
  platform::ActivityPage received;
};

awaitable<std::variant<Both, int>> read_both(Session& session, std::string status) {
  std::variant<Both, int> outcome = exit_code::failed;
  auto mine = co_await session.first().client.requests(Side::made, status);
  if (!mine) {
    outcome = report("the requests cannot be read", mine.error());
    co_return outcome;
  }
  auto received = co_await session.first().client.requests(Side::received, status);
  if (!received) {
    outcome = report("the requests cannot be read", received.error());
    co_return outcome;
  }
  outcome = Both{.mine = std::move(*mine), .received = std::move(*received)};
  co_return outcome;
}

/// What does not look like the beginning of an id may be a mistyped word.
int say_no_id(const std::string& given) {
  const std::string shown = text::sanitize_name(given);
  const std::string_view guess = nearest(given, subcommands);
  return wrong_usage(fmt::format("{} is not a request's id, nor the beginning of one", shown),
                     guess.empty()
                         ? std::string("`molecule-mcp requests` lists them.")
                         : fmt::format("Did you mean `molecule-mcp requests {}`?", guess));
}

/// The id that begins with `given`, or the exit code after saying why there is none.
awaitable<std::variant<std::string, int>> find_request(Session& session, std::string given) {
  std::variant<std::string, int> outcome = exit_code::not_found;
  const std::string wanted = text::lower(text::trim(given));
  if (is_uuid(wanted)) {
    outcome = wanted;
    co_return outcome;
  }
  if (wanted.empty() || wanted.find_first_not_of("0123456789abcdef-") != std::string::npos) {
    outcome = say_no_id(given);
    co_return outcome;
  }
  auto read = co_await read_both(session, "");
  if (const int* code = std::get_if<int>(&read)) {
    outcome = *code;
    co_return outcome;
  }
  const Both& both = std::get<Both>(read);
  std::vector<std::string> found;
  for (const auto* page : {&both.mine, &both.received}) {
    for (const json::Value row : page->rows) {
      std::string id = text::lower(row["id"].string_or(""));
      if (id.starts_with(wanted)) found.push_back(std::move(id));
    }
  }
  if (found.size() == 1) {
    outcome = found.front();
  } else if (found.empty()) {
    say_failure(fmt::format("there is no request {} among the newest", wanted),
                "`molecule-mcp requests` lists them; an older one needs its whole id.");
  } else {
    outcome = wrong_usage(fmt::format("{} requests have ids that begin with {}: give more of it",
                                      found.size(), wanted));
  }
  co_return outcome;
}

/// Names of peers are a help only: without them ids are shown.
awaitable<Names> peer_names(Session& session) {
  Names names;
  auto peers = co_await session.first().client.peers();
  if (!peers) co_return names;
  for (const platform::Peer& peer : *peers) {
    names[text::lower(peer.id)] = text::sanitize_name(peer.name);
  }
  co_return names;
}

std::string party(const Session& session, const Names& names, json::Value row,
                  const std::string& role) {
  const std::string type = string_of(row, role + "_type");
  if (type == "user") return "the user";
  const std::string id = text::lower(string_of(row, role + "_id"));
  if (id == session.config.workspaces.front().id) return "this workspace";
  const auto named = names.find(id);
  return named == names.end() || named->second.empty() ? id : named->second;
}

std::string ago(json::Value row, WallTime now) {
  const auto time = parse_rfc3339(row["created_at"].string_or(""));
  return time ? age(*time, now) : "";
}

void write_rows(json::Object& out, const char* name, const platform::ActivityPage& page) {
  auto list = out.array(name);
  for (const json::Value row : page.rows) list.raw(json::dump_sanitized(row));
}

awaitable<int> list(Session& session, std::string status, bool json) {
  auto read = co_await read_both(session, std::move(status));
  if (const int* code = std::get_if<int>(&read)) co_return *code;
  const Both& both = std::get<Both>(read);
  if (json) {
    json::Writer writer;
    {
      auto o = writer.object();
      write_rows(o, "mine", both.mine);
      write_rows(o, "to_me", both.received);
    }
    co_return finish(std::move(writer).take() + "\n");
  }
  if (both.mine.rows.empty() && both.received.rows.empty()) {
    say("There are no requests.\n");
    co_return exit_code::done;
  }
  const Names names = co_await peer_names(session);
  std::vector<std::string> ids;
  for (const auto* page : {&both.received, &both.mine}) {
    for (const json::Value row : page->rows) ids.push_back(string_of(row, "id"));
  }
  const std::size_t shown_id = short_id_length(std::move(ids));
  TextTable table({"ID", "AGE", "KIND", "STATUS", "FROM", "TO", "TITLE"});
  for (const auto* page : {&both.received, &both.mine}) {
    for (const json::Value row : page->rows) {
      table.add({string_of(row, "id").substr(0, shown_id), ago(row, session.clock.wall()),
                 string_of(row, "kind"), string_of(row, "status"),
                 party(session, names, row, "requester"), party(session, names, row, "recipient"),
                 string_of(row, "title")});
    }
  }
  co_return finish(table.text());
}

std::string described(const Session& session, const Names& names, json::Value thread) {
  const json::Value request = thread["request"];
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{:<8} {}\n", name, text::one_line(value));
  };
  line("id", string_of(request, "id"));
  line("kind", string_of(request, "kind"));
  line("status", string_of(request, "status"));
  line("from", party(session, names, request, "requester"));
  line("to", party(session, names, request, "recipient"));
  line("made", string_of(request, "created_at"));
  line("title", string_of(request, "title"));
  if (const std::string why = string_of(request, "reason"); !why.empty())
    out += "reason   " + why + "\n";
  if (const std::string detail = string_of(request, "detail"); !detail.empty()) {
    out += "\n" + detail + "\n";
  }
  for (const json::Value message : thread["messages"].items()) {
    out +=
        fmt::format("\n{}  {}\n{}\n", text::one_line(party(session, names, message, "author")),
                    text::one_line(string_of(message, "created_at")), string_of(message, "body"));
  }
  return out;
}

awaitable<int> show_one(Session& session, std::string given, bool json) {
  auto found = co_await find_request(session, std::move(given));
  if (const int* code = std::get_if<int>(&found)) co_return *code;
  auto thread = co_await session.first().client.request_thread(std::get<std::string>(found));
  if (!thread) co_return report("the request cannot be read", thread.error());
  json::Document document;
  if (!document.parse(*thread).ok()) {
    say_failure("the request cannot be read: the platform's answer is not JSON");
    co_return exit_code::failed;
  }
  if (json) co_return finish(json::dump_sanitized(document.root()) + "\n");
  const Names names = co_await peer_names(session);
  co_return finish(described(session, names, document.root()));
}

/// What a call that changed a request prints.
std::string outcome_line(std::string_view id, std::string_view status, bool json) {
  if (!json) return fmt::format("{}\n", text::one_line(id));
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("request_id", id);
    o.field("status", status);
  }
  return std::move(writer).take() + "\n";
}

awaitable<int> create(Session& session, platform::NewRequest wanted, std::string to, bool json) {
  if (!to.empty() && text::lower(to) != "user") {
    auto peer = co_await find_peer(session, std::move(to));
    if (const int* code = std::get_if<int>(&peer)) co_return *code;
    wanted.recipient_id = std::get<platform::Peer>(peer).id;
  }
  if (wanted.kind == "approval" && !wanted.recipient_id.empty()) {
    co_return wrong_usage("only the user can approve: leave --to out, or ask for a task");
  }
  wanted.key = platform::content_key(wanted);
  auto made = co_await session.first().client.create_request(std::move(wanted));
  if (!made) co_return report("the request was not made", made.error());
  co_return finish(outcome_line(made->request_id, made->status, json));
}

struct Response {
  std::string id;
  /// Empty: only a message.
  std::string decision;
  std::string message;
  bool json = false;
};

awaitable<int> respond(Session& session, Response response) {
  auto found = co_await find_request(session, response.id);
  if (const int* code = std::get_if<int>(&found)) co_return *code;
  const std::string id = std::get<std::string>(found);
  platform::Client& client = session.first().client;
  if (response.decision.empty()) {
    auto added = co_await client.add_request_message(id, response.message);
    if (!added) co_return report("the message was not sent", added.error());
    co_return finish(outcome_line(id, "message sent", response.json));
  }
  auto responded = co_await client.respond_request(id, response.decision, response.message);
  if (!responded) co_return report("the request was not answered", responded.error());
  co_return finish(outcome_line(id, response.decision, response.json));
}

awaitable<int> cancel(Session& session, std::string given, bool json) {
  auto found = co_await find_request(session, std::move(given));
  if (const int* code = std::get_if<int>(&found)) co_return *code;
  const std::string id = std::get<std::string>(found);
  auto cancelled = co_await session.first().client.cancel_request(id);
  if (!cancelled) co_return report("the request was not cancelled", cancelled.error());
  co_return finish(outcome_line(id, "cancelled", json));
}

/// The decision and the text of `requests respond`, or the exit code.
Result<Response, int> read_response(const Arguments& arguments) {
  Response response{
      .id = arguments.value("ID"), .decision = {}, .message = {}, .json = arguments.json()};
  std::string text = arguments.value("ANSWER", "-");
  const std::string word = text::lower(text);
  if (is_one_of(word, decisions)) {
    response.decision = word;
    if (!arguments.has("TEXT")) return response;
    text = arguments.value("TEXT");
  } else if (const auto guess = nearest(word, decisions); arguments.has("TEXT") || !guess.empty()) {
    return Failure{
        wrong_usage(fmt::format("{} is neither done nor rejected{}", text::sanitize_name(text),
                                guess.empty() ? "" : fmt::format("; did you mean {}?", guess)),
                    "A message without a decision is one argument, or - reads it from stdin.")};
  }
  auto read = read_text(std::move(text));
  if (!read.ok()) return Failure{read.error()};
  response.message = std::move(*read);
  return response;
}

/// Nothing after saying what is wrong with it.
std::optional<std::int64_t> read_priority(const Arguments& arguments) {
  const std::string given = arguments.value("--priority", "0");
  std::int64_t priority = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), priority);
  constexpr std::int64_t limit = 100;
  if (error == std::errc() && end == given.data() + given.size() && priority >= -limit &&
      priority <= limit) {
    return priority;
  }
  wrong_usage(
      fmt::format("--priority {}: a number from -100 to 100 is needed", text::one_line(given)));
  return std::nullopt;
}

}  // namespace

int requests(const Arguments& arguments) {
  const std::string status = text::lower(text::trim(arguments.value("--status")));
  if (arguments.has("--status") && !is_one_of(status, statuses)) {
    return wrong_usage(fmt::format("--status {}: it is one of {}", text::one_line(status),
                                   fmt::join(statuses, ", ")));
  }
  if (arguments.has("--status") && arguments.has("ID")) {
    return wrong_usage("--status chooses from the list; it is not for one request");
  }
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  return session.run(arguments.has("ID")
                         ? show_one(session, arguments.value("ID"), arguments.json())
                         : list(session, status, arguments.json()));
}

int requests_new(const Arguments& arguments) {
  platform::NewRequest wanted;
  wanted.kind = arguments.value("KIND");
  const auto priority = read_priority(arguments);
  if (!priority) return exit_code::usage;
  if (*priority != 0) wanted.priority = priority;
  auto title = read_text(arguments.value("TITLE"));
  if (!title.ok()) return title.error();
  wanted.title = std::move(*title);
  if (arguments.has("--detail")) {
    auto detail = read_text(arguments.value("--detail"));
    if (!detail.ok()) return detail.error();
    wanted.detail = std::move(*detail);
  }
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  return session.run(create(session, std::move(wanted), arguments.value("--to"), arguments.json()));
}

int requests_respond(const Arguments& arguments) {
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  auto response = read_response(arguments);
  if (!response.ok()) return response.error();
  Session session(std::move(*config));
  return session.run(respond(session, std::move(*response)));
}

int requests_cancel(const Arguments& arguments) {
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  return session.run(cancel(session, arguments.value("ID"), arguments.json()));
}

}  // namespace molecule::cli
