// The requests about what a server offers: lists, and operations on their entries.
#include <algorithm>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "mcp/dispatcher.hpp"
#include "mcp/offers/catalog.hpp"

namespace molecule::mcp {

namespace {

/// The lists are fixed for the life of the process and the same for every caller.
constexpr Cache list_cache{.ttl_ms = 300'000, .is_public = true};

encode::Error invalid_params(std::string message) {
  return {.code = code::invalid_params, .message = std::move(message)};
}

bool has_value(const json::Value& value) {
  return value.present() && !value.is_null();
}

template <class Entry>
std::shared_ptr<const Entry> find(const std::shared_ptr<const ServerInfo>& server,
                                  const std::vector<Entry>& entries, std::string_view name) {
  for (const Entry& entry : entries) {
    if (entry.name == name) return std::shared_ptr<const Entry>(server, &entry);
  }
  return nullptr;
}

/// Why `prompt` cannot be rendered with `arguments`; empty if it can.
std::string problem_with(const Prompt& prompt, const json::Value& arguments) {
  for (const auto& [name, value] : arguments.members()) {
    if (!value.is_string()) return "`" + text::sanitize_name(name) + "` must be a string";
  }
  for (const PromptArgument& argument : prompt.arguments) {
    if (argument.required && !arguments[argument.name].present()) {
      return "`" + argument.name + "` is required";
    }
  }
  return {};
}

/// The `inputResponses` of a repeated request: absent, or an object of objects.
bool valid_responses(const json::Value& responses) {
  if (!responses.present()) return true;
  return responses.is_object() && std::ranges::all_of(responses.members(), [](const auto& member) {
           return member.second.is_object();
         });
}

}  // namespace

void Dispatcher::list(const Request& request, List write, std::size_t entries) {
  const auto page =
      lists::read_cursor(request.message.params["cursor"], limits_.page_entries, entries);
  if (!page) return fail(request, invalid_params("Unknown cursor"));
  succeed(request, write(*server_, *page, request.envelope.revision),
          encode::cache_members(list_cache));
}

void Dispatcher::list_tools(const Request& request) {
  const std::size_t entries = server_->tools.size();
  if (has_value(request.message.params["cursor"])) return list(request, lists::tools, entries);
  std::string& list = tool_lists_.at(static_cast<std::size_t>(request.envelope.revision));
  const lists::Page first{.from = 0, .size = limits_.page_entries};
  if (list.empty()) list = lists::tools(*server_, first, request.envelope.revision);
  succeed(request, list, encode::cache_members(list_cache));
}

void Dispatcher::list_resources(const Request& request) {
  list(request, lists::resources, server_->resources.size());
}

void Dispatcher::list_resource_templates(const Request& request) {
  list(request, lists::resource_templates, server_->resource_templates.size());
}

void Dispatcher::list_prompts(const Request& request) {
  list(request, lists::prompts, server_->prompts.size());
}

void Dispatcher::call_tool(const Request& request) {
  const json::Value params = request.message.params;
  const auto name = params["name"].string();
  if (!name) return fail(request, invalid_params("`name` must be a string"));
  json::Value arguments = params["arguments"];
  json::Document written;
  // Some models write the object as a string.
  if (const auto text = arguments.string()) {
    if (auto parsed = written.parse(*text); parsed.ok()) arguments = *parsed;
    if (text->empty()) arguments = {};
  }
  if (!has_value(arguments)) arguments = empty_object_.root();
  if (!arguments.is_object()) {
    return fail(request, invalid_params("`arguments` must be an object"));
  }
  auto tool = find(server_, server_->tools, *name);
  if (!tool) return fail(request, invalid_params("Unknown tool: " + text::sanitize_name(*name)));
  start(request, std::move(tool), arguments, std::move(written));
}

void Dispatcher::read_resource(const Request& request) {
  const auto uri = request.message.params["uri"].string();
  if (!uri) return fail(request, invalid_params("`uri` must be a string"));
  const auto match = find_resource(*server_, *uri);
  if (!match) return fail_not_found(request, *uri);
  json::Writer writer;
  {
    auto variables = writer.object();
    for (const auto& [name, value] : match->variables) variables.field(name, value);
  }
  json::Document variables;
  const auto arguments = variables.parse(writer.text());
  Reading reading{.read = {server_, match->read}, .uri = std::string(*uri), .cache = match->cache};
  start(request, std::move(reading), *arguments, std::move(variables));
}

void Dispatcher::get_prompt(const Request& request) {
  const json::Value params = request.message.params;
  const auto name = params["name"].string();
  if (!name) return fail(request, invalid_params("`name` must be a string"));
  auto prompt = find(server_, server_->prompts, *name);
  if (!prompt) {
    return fail(request, invalid_params("Unknown prompt: " + text::sanitize_name(*name)));
  }
  json::Value arguments = params["arguments"];
  if (!has_value(arguments)) arguments = empty_object_.root();
  if (!arguments.is_object()) {
    return fail(request, invalid_params("`arguments` must be an object"));
  }
  const std::string problem = problem_with(*prompt, arguments);
  if (!problem.empty()) return fail(request, invalid_params(problem));
  start(request, std::move(prompt), arguments, {});
}

void Dispatcher::complete(const Request& request) {
  const json::Value params = request.message.params;
  const auto name = params["argument"]["name"].string();
  const auto value = params["argument"]["value"].string();
  if (!name || !value) return fail(request, invalid_params("`argument` needs a name and a value"));
  const auto completer = find_completer(*server_, params["ref"], *name);
  if (!completer) return fail(request, invalid_params("`ref` or `argument` is unknown"));
  if (*completer == nullptr || !**completer) {
    return succeed(request, encode::completion({.values = {}}));
  }
  json::Value arguments = params["context"]["arguments"];
  if (!arguments.is_object()) arguments = empty_object_.root();
  Completing completing{.complete = {server_, *completer}, .value = std::string(*value)};
  start(request, std::move(completing), arguments, {});
}

void Dispatcher::start(const Request& request, Work work, json::Value arguments,
                       json::Document variables) {
  const Message& message = request.message;
  std::string state;
  if (request.stateless()) {
    if (!valid_responses(message.params["inputResponses"])) {
      return fail(request, invalid_params("`inputResponses` must be an object of objects"));
    }
    const json::Value token = message.params["requestState"];
    if (token.present()) {
      const auto kept = calls_->request_states().open(purpose_of(work), token.string_or({}));
      if (!kept) {
        return fail(request, invalid_params("`requestState` is unknown: repeat without it"));
      }
      state = *kept;
    }
  }
  CallRequest call{.work = std::move(work),
                   .envelope = request.envelope,
                   .id = message.id,
                   .key = id_key(message.id_value),
                   .document = std::move(document_),
                   .variables = std::move(variables),
                   .params = message.params,
                   .arguments = arguments,
                   .batch = request.batch,
                   .state = std::move(state)};
  calls_->start(std::move(call));
}

void Dispatcher::fail_not_found(const Request& request, std::string_view uri) {
  fail(request, encode::resource_not_found(uri, request.envelope.revision));
}

}  // namespace molecule::mcp
