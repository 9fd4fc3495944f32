#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "cli/commands/help.hpp"
#include "cli/messages/input.hpp"
#include "cli/output/terminal.hpp"
#include "cli/output/text_table.hpp"
#include "cli/platform/platform_commands.hpp"
#include "cli/session/choose.hpp"
#include "cli/session/session.hpp"

namespace molecule::cli {

namespace {

Result<std::string, int> read_scope(const Arguments& arguments, std::string_view otherwise) {
  if (!arguments.has("--scope")) return std::string(otherwise);
  const std::string scope = text::lower(arguments.value("--scope"));
  if (scope == "local") return std::string("LOCAL");
  if (scope == "team") return std::string("TEAM");
  if (scope == "global") return std::string("GLOBAL");
  return Failure{
      wrong_usage(fmt::format("--scope {}: it is LOCAL, TEAM or GLOBAL", text::one_line(scope)))};
}

awaitable<int> add(Session& session, std::string content, std::string scope, bool json) {
  auto memory = co_await session.first().client.commit_memory(redact_secrets(content), scope);
  if (!memory) co_return report("the memory was not stored", memory.error());
  if (!json) co_return finish(text::one_line(memory->id) + "\n");
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("id", memory->id);
    o.field("scope", memory->scope.empty() ? scope : memory->scope);
  }
  co_return finish(std::move(writer).take() + "\n");
}

awaitable<int> find(Session& session, std::string words, std::string scope, bool json) {
  auto memories = co_await session.first().client.recall_memory(std::move(words), scope);
  if (!memories) co_return report("the memories cannot be read", memories.error());
  json::Writer writer;
  TextTable table({"SCOPE", "MEMORY"});
  {
    auto o = writer.object();
    auto list = o.array("memories");
    for (const platform::Memory& memory : *memories) {
      auto one = list.object();
      one.field("id", memory.id);
      one.field("scope", memory.scope);
      one.field("content", text::sanitize(memory.content));
      table.add({memory.scope, memory.content});
    }
  }
  if (json) co_return finish(std::move(writer).take() + "\n");
  if (!table.empty()) co_return finish(table.text());
  say("No memories were found.\n");
  co_return exit_code::done;
}

}  // namespace

int memory_add(const Arguments& arguments) {
  auto scope = read_scope(arguments, "LOCAL");
  if (!scope.ok()) return scope.error();
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  auto text = read_text(arguments);
  if (!text.ok()) return text.error();
  Session session(std::move(*config));
  return session.run(add(session, std::move(*text), std::move(*scope), arguments.json()));
}

int memory_find(const Arguments& arguments) {
  auto scope = read_scope(arguments, "");
  if (!scope.ok()) return scope.error();
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  std::string words = fmt::format("{}", fmt::join(arguments.values("WORDS"), " "));
  Session session(std::move(*config));
  return session.run(find(session, std::move(words), std::move(*scope), arguments.json()));
}

}  // namespace molecule::cli
