#include "daemon/config/handler_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/files/paths.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "workspace/config/config_file.hpp"

namespace molecule::daemon {

namespace {

namespace fs = std::filesystem;
using Type = Key::Type;
using std::chrono::seconds;

constexpr std::int64_t max_seconds = 7 * 24 * 3600;

constexpr std::array<Key, 18> keys{{
    {"kind", Type::text, "command, claude, codex, gemini, opencode, webhook or none"},
    {"argv", Type::list, "the program and its arguments"},
    {"shell", Type::flag, "run the first of argv by /bin/sh -c"},
    {"format", Type::text, "what a command reads: json or text"},
    {"deadline_secs", Type::seconds, "how long one turn may last (900)"},
    {"retry_secs", Type::seconds_list, "the pauses before further tries (60, 300, 1800)"},
    {"max_parallel", Type::number, "conversations side by side (2)"},
    {"conversation", Type::text, "one for each sender, or one for each message"},
    {"working_directory", Type::text, "where the handler runs; a folder of its own by default"},
    {"tools", Type::flag, "give an agent this workspace's MCP tools (true)"},
    {"extra_args", Type::list, "further arguments of an agent's CLI"},
    {"on_empty", Type::text, "a message without an answer: keep (and try again) or pop"},
    {"stop_grace_secs", Type::seconds, "how long running turns may take at the end (20)"},
    {"max_turns_per_hour", Type::number, "a budget; 0 is none"},
    {"max_cost_usd_per_day", Type::number, "a budget; 0 is none"},
    {"url", Type::text, "of a webhook: https, or http on this machine"},
    {"secret_file", Type::text, "the webhook's secret, which signs each request"},
    {"restricted", Type::text,
     "whose messages are read without shell and files: peers, all, nobody"},
}};

/// Reads single values of one table.
class Reader {
 public:
  Reader(json::Value table, const std::string& place, const fs::path& home,
         std::vector<std::string>& problems)
      : table_(table), place_(place), home_(home), problems_(problems) {}

  void problem(std::string_view key, std::string_view what) {
    problems_.push_back(fmt::format("{}{} {}", place_, key, what));
  }

  void text(std::string_view key, std::string& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    if (const auto given = value.string()) {
      into = *given;
    } else {
      problem(key, "must be a string");
    }
  }

  /// One of some words; its place among them.
  std::optional<std::size_t> word(std::string_view key, std::span<const std::string_view> words) {
    const json::Value value = table_[key];
    if (!value.present()) return std::nullopt;
    const auto found = std::ranges::find(words, value.string_or(""));
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    problem(key, fmt::format("must be one of {}", fmt::join(words, ", ")));
    return std::nullopt;
  }

  void flag(std::string_view key, bool& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    if (const auto given = value.boolean()) {
      into = *given;
    } else {
      problem(key, "must be true or false");
    }
  }

  void whole(std::string_view key, int least, int most, int& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    const auto given = value.integer();
    if (given && *given >= least && *given <= most) {
      into = static_cast<int>(*given);
    } else {
      problem(key, fmt::format("must be a whole number from {} to {}", least, most));
    }
  }

  void amount(std::string_view key, double& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    const auto given = value.number();
    if (given && std::isfinite(*given) && *given >= 0 && *given <= 1e6) {
      into = *given;
    } else {
      problem(key, "must be a number from 0 to 1000000");
    }
  }

  void duration(std::string_view key, seconds& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    const auto given = value.integer();
    if (given && *given >= 0 && *given <= max_seconds) {
      into = seconds(*given);
    } else {
      problem(key, fmt::format("must be whole seconds from 0 to {}", max_seconds));
    }
  }

  void durations(std::string_view key, std::vector<seconds>& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    std::vector<seconds> list;
    bool valid = value.is_array();
    for (const json::Value item : value.items()) {
      const auto given = item.integer();
      valid = valid && given && *given >= 0 && *given <= max_seconds;
      if (valid) list.emplace_back(*given);
    }
    if (valid) {
      into = std::move(list);
    } else {
      problem(key, "must be a list of whole seconds");
    }
  }

  void texts(std::string_view key, std::vector<std::string>& into) {
    const json::Value value = table_[key];
    if (!value.present()) return;
    std::vector<std::string> list;
    bool valid = value.is_array();
    for (const json::Value item : value.items()) {
      const auto given = item.string();
      valid = valid && given && given->find('\0') == std::string_view::npos;
      if (valid) list.emplace_back(*given);
    }
    if (valid) {
      into = std::move(list);
    } else {
      problem(key, "must be a list of strings");
    }
  }

  void path(std::string_view key, fs::path& into) {
    std::string given;
    text(key, given);
    if (given.empty()) return;
    if (auto path = files::configured_path(given, home_)) {
      into = std::move(*path);
    } else {
      problem(key, fmt::format("is not usable: {}", path.error()));
    }
  }

 private:
  json::Value table_;
  const std::string& place_;
  const fs::path& home_;
  std::vector<std::string>& problems_;
};

constexpr std::array<std::string_view, 7> kinds{"none",   "command",  "claude", "codex",
                                                "gemini", "opencode", "webhook"};
constexpr std::array<std::string_view, 2> formats{"json", "text"};
constexpr std::array<std::string_view, 2> conversations{"sender", "message"};
constexpr std::array<std::string_view, 2> empties{"keep", "pop"};
constexpr std::array<std::string_view, 3> restrictions{"nobody", "peers", "all"};

std::string list_of(const std::vector<std::string>& texts) {
  json::Writer writer;
  {
    auto list = writer.array();
    for (const std::string& text : texts) list.value(text);
  }
  return std::move(writer).take();
}

}  // namespace

std::span<const Key> handler_keys() {
  return keys;
}

std::string_view name_of(Kind kind) {
  return kinds.at(static_cast<std::size_t>(kind));
}

bool is_webhook_url(std::string_view url) {
  constexpr std::array<std::string_view, 3> here{"http://127.0.0.1", "http://localhost",
                                                 "http://[::1]"};
  const bool plain =
      std::ranges::all_of(url, [](char c) { return c > '\x20' && c < '\x7F' && c != '\\'; });
  const std::size_t scheme = url.find("://");
  if (!plain || scheme == std::string_view::npos) return false;
  const std::string_view authority = url.substr(0, url.find_first_of("/?#", scheme + 3));
  if (authority.find('@') != std::string_view::npos || authority.size() == scheme + 3) return false;
  if (url.starts_with("https://")) return true;
  return std::ranges::any_of(here, [authority](std::string_view host) {
    const std::string_view rest =
        authority.starts_with(host) ? authority.substr(host.size()) : std::string_view("x");
    return rest.empty() || (rest.starts_with(':') && rest.size() > 1 &&
                            rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
  });
}

void apply_table(json::Value table, const std::string& place, const fs::path& home,
                 HandlerSettings& settings, std::vector<std::string>& problems) {
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  workspace::check_keys(table, names, place, problems);
  Reader reader(table, place, home, problems);
  if (const auto kind = reader.word("kind", kinds)) settings.kind = static_cast<Kind>(*kind);
  reader.texts("argv", settings.argv);
  reader.flag("shell", settings.shell);
  if (const auto format = reader.word("format", formats)) settings.bare_text = *format == 1;
  reader.duration("deadline_secs", settings.deadline);
  reader.durations("retry_secs", settings.retry);
  reader.whole("max_parallel", 1, 64, settings.max_parallel);
  if (const auto each = reader.word("conversation", conversations)) {
    settings.per_message = *each == 1;
  }
  reader.path("working_directory", settings.working_directory);
  reader.flag("tools", settings.tools);
  reader.texts("extra_args", settings.extra_args);
  if (const auto empty = reader.word("on_empty", empties)) settings.pop_empty = *empty == 1;
  reader.duration("stop_grace_secs", settings.stop_grace);
  reader.whole("max_turns_per_hour", 0, 100'000, settings.max_turns_per_hour);
  reader.amount("max_cost_usd_per_day", settings.max_cost_usd_per_day);
  reader.text("url", settings.url);
  reader.path("secret_file", settings.secret_file);
  if (const auto whom = reader.word("restricted", restrictions)) {
    settings.restricted = static_cast<HandlerSettings::Restrict>(*whom);
  }
  if (settings.deadline < seconds(1)) reader.problem("deadline_secs", "must be at least 1");
}

void check_complete(const HandlerSettings& settings, const std::string& place,
                    std::vector<std::string>& problems) {
  if (settings.kind == Kind::command && (settings.argv.empty() || settings.argv.front().empty())) {
    problems.push_back(place + "argv is missing: the program that a command handler runs");
  }
  if (settings.kind == Kind::webhook && !is_webhook_url(settings.url)) {
    problems.push_back(place +
                       "url must be https://…, or http:// on 127.0.0.1, localhost or [::1], "
                       "without a user name");
  }
}

std::string to_toml(const HandlerSettings& settings) {
  const auto quoted = [](const fs::path& path) { return json::quoted(path.string()); };
  std::string retry;
  for (const seconds pause : settings.retry) {
    retry += fmt::format("{}{}", retry.empty() ? "" : ", ", pause.count());
  }
  std::string text = fmt::format("kind = \"{}\"\n", name_of(settings.kind));
  const auto line = [&text](std::string_view key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  if (!settings.argv.empty()) line("argv", list_of(settings.argv));
  line("shell", flag(settings.shell));
  line("format", settings.bare_text ? "\"text\"" : "\"json\"");
  line("deadline_secs", std::to_string(settings.deadline.count()));
  line("retry_secs", "[" + retry + "]");
  line("max_parallel", std::to_string(settings.max_parallel));
  line("conversation", settings.per_message ? "\"message\"" : "\"sender\"");
  if (!settings.working_directory.empty()) {
    line("working_directory", quoted(settings.working_directory));
  }
  line("tools", flag(settings.tools));
  if (!settings.extra_args.empty()) line("extra_args", list_of(settings.extra_args));
  line("on_empty", settings.pop_empty ? "\"pop\"" : "\"keep\"");
  line("stop_grace_secs", std::to_string(settings.stop_grace.count()));
  line("max_turns_per_hour", std::to_string(settings.max_turns_per_hour));
  line("max_cost_usd_per_day", fmt::format("{}", settings.max_cost_usd_per_day));
  line("restricted",
       fmt::format("\"{}\"", restrictions.at(static_cast<std::size_t>(settings.restricted))));
  if (!settings.url.empty()) line("url", json::quoted(settings.url));
  if (!settings.secret_file.empty()) line("secret_file", quoted(settings.secret_file));
  return text;
}

}  // namespace molecule::daemon
