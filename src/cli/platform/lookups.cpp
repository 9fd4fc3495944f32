#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "cli/age.hpp"
#include "cli/commands/help.hpp"
#include "cli/output/terminal.hpp"
#include "cli/output/text_table.hpp"
#include "cli/platform/peers.hpp"
#include "cli/platform/platform_commands.hpp"
#include "cli/session/choose.hpp"

namespace molecule::cli {

namespace {

/// The number of `--limit`; nothing after saying what is wrong with it.
std::optional<int> read_limit(const Arguments& arguments, int otherwise, int max) {
  if (!arguments.has("--limit")) return otherwise;
  const std::string given = arguments.value("--limit");
  int limit = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), limit);
  if (error == std::errc() && end == given.data() + given.size() && limit >= 1 && limit <= max) {
    return limit;
  }
  wrong_usage(
      fmt::format("--limit {}: a number from 1 to {} is needed", text::one_line(given), max));
  return std::nullopt;
}

std::string string_of(json::Value object, std::string_view key) {
  return text::sanitize(object[key].string_or(""));
}

std::string ago(std::string_view time, WallTime now) {
  const auto parsed = parse_rfc3339(time);
  return parsed ? age(*parsed, now) : "";
}

std::string describe(const Session& session, json::Value info) {
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{:<9} {}\n", name, text::one_line(value));
  };
  const workspace::WorkspaceConfig& own = session.config.workspaces.front();
  line("workspace", own.id);
  line("platform", own.platform_url);
  for (const char* name : {"name", "role", "status", "parent_id", "runtime"}) {
    line(name, string_of(info, name));
  }
  line("card", card_name(own));
  line("folder", own.state_folder.string());
  return out;
}

awaitable<int> who(Session& session, bool json) {
  auto info = co_await session.first().client.workspace_info();
  if (!info) co_return report("the platform does not say who this workspace is", info.error());
  json::Document document;
  if (!document.parse(*info).ok()) co_return exit_code::failed;
  if (json) co_return finish(json::dump_sanitized(document.root()) + "\n");
  co_return finish(describe(session, document.root()));
}

/// `text` under a line that says who and when.
std::string paragraph(std::string_view who, std::string_view time, std::string_view text) {
  return fmt::format("{}  {}\n{}\n\n", text::one_line(who), text::one_line(time), text);
}

awaitable<int> user_history(Session& session, int limit, bool json) {
  auto history = co_await session.first().client.chat_history(limit, "");
  if (!history) co_return report("the history is not known", history.error());
  json::Document document;
  if (!document.parse(*history).ok()) co_return exit_code::failed;
  if (json) co_return finish(json::dump_sanitized(document.root()) + "\n");
  std::string out;
  for (const json::Value message : document.root()["messages"].items()) {
    out += paragraph(string_of(message, "role"), string_of(message, "timestamp"),
                     string_of(message, "content"));
  }
  if (out.empty()) say("Nothing was said yet.\n");
  co_return finish(out);
}

/// The text of a row's request or, for what this workspace said, of its summary.
std::string row_text(json::Value row) {
  const json::Value message = row["request_body"]["params"]["message"];
  std::string text;
  for (const json::Value part : message["parts"].items()) text += string_of(part, "text");
  if (text.empty()) text = string_of(row, "summary");
  return text;
}

awaitable<int> peer_history(Session& session, std::string name, int limit, bool json) {
  auto peer = co_await find_peer(session, std::move(name));
  if (const int* code = std::get_if<int>(&peer)) co_return *code;
  const std::string id = std::get<platform::Peer>(peer).id;
  platform::ActivityQuery query;
  query.type.clear();
  query.peer_id = id;
  query.limit = limit;
  auto page = co_await session.first().client.activity(std::move(query));
  if (!page) co_return report("the history is not known", page.error());
  json::Writer writer;
  std::string out;
  {
    auto o = writer.object();
    o.field("peer_id", id);
    auto list = o.array("messages");
    for (auto row = page->rows.rbegin(); row != page->rows.rend(); ++row) {
      list.raw(json::dump_sanitized(*row));
      const bool own =
          text::equal_ignoring_case((*row)["source_id"].string_or(""), session.first().id());
      out += paragraph(own ? "this workspace" : string_of(*row, "source_id"),
                       string_of(*row, "created_at"), row_text(*row));
    }
  }
  if (json) co_return finish(std::move(writer).take() + "\n");
  if (out.empty()) say("Nothing was said yet.\n");
  co_return finish(out);
}

awaitable<int> search_all(Session& session, std::string words, int limit, bool json) {
  auto page = co_await session.first().client.session_search(std::move(words), limit);
  if (!page) co_return report("the search failed", page.error());
  json::Writer writer;
  TextTable table({"KIND", "AGE", "WHAT", "TEXT"});
  {
    auto o = writer.object();
    auto list = o.array("results");
    for (const json::Value row : page->rows) {
      list.raw(json::dump_sanitized(row));
      table.add({string_of(row, "kind"), ago(row["created_at"].string_or(""), session.clock.wall()),
                 string_of(row, "label"), string_of(row, "content")});
    }
  }
  if (json) co_return finish(std::move(writer).take() + "\n");
  if (table.empty()) {
    say("Nothing was found.\n");
    co_return exit_code::done;
  }
  co_return finish(table.text());
}

}  // namespace

int whoami(const Arguments& arguments) {
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  return session.run(who(session, arguments.json()));
}

int history(const Arguments& arguments) {
  const auto limit = read_limit(arguments, 20, 500);
  if (!limit) return exit_code::usage;
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  const bool of_user = !arguments.has("WHO") || arguments.value("WHO") == "user";
  return session.run(of_user
                         ? user_history(session, *limit, arguments.json())
                         : peer_history(session, arguments.value("WHO"), *limit, arguments.json()));
}

int search(const Arguments& arguments) {
  const auto limit = read_limit(arguments, 50, 200);
  if (!limit) return exit_code::usage;
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  std::string words = fmt::format("{}", fmt::join(arguments.values("WORDS"), " "));
  Session session(std::move(*config));
  return session.run(search_all(session, std::move(words), *limit, arguments.json()));
}

}  // namespace molecule::cli
