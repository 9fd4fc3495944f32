#include "mcp/offers/catalog.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/text/text.hpp"
#include "mcp/wire/encode.hpp"

namespace molecule::mcp {

namespace {

void check_once(std::set<std::string, std::less<>>& names, const std::string& name) {
  if (!names.insert(name).second) {
    throw std::invalid_argument("duplicate entry in the server's lists:" + name);
  }
}

void check_tool(Tool& tool) {
  tool.input_schema = encode::one_line_object(tool.input_schema, tool.name + ": input schema");
  if (!tool.output_schema.empty()) {
    tool.output_schema = encode::one_line_object(tool.output_schema, tool.name + ": output schema");
  }
  if (!tool.meta.empty()) tool.meta = encode::one_line_object(tool.meta, tool.name + ": _meta");
}

}  // namespace

ServerInfo checked(ServerInfo server) {
  std::set<std::string, std::less<>> tools;
  for (Tool& tool : server.tools) {
    check_once(tools, tool.name);
    check_tool(tool);
  }
  std::set<std::string, std::less<>> uris;
  for (const Resource& resource : server.resources) check_once(uris, resource.uri);
  for (const ResourceTemplate& family : server.resource_templates) check_once(uris, family.uri);
  std::set<std::string, std::less<>> prompts;
  for (const Prompt& prompt : server.prompts) check_once(prompts, prompt.name);
  if (!server.experimental.empty()) {
    server.experimental = encode::one_line_object(server.experimental, "experimental");
  }
  return server;
}

bool has_tools(const ServerInfo& server) {
  return !server.tools.empty();
}

bool has_resources(const ServerInfo& server) {
  return !server.resources.empty() || !server.resource_templates.empty();
}

bool has_updates(const ServerInfo& server) {
  return server.resource_updates && has_resources(server);
}

bool has_prompts(const ServerInfo& server) {
  return !server.prompts.empty();
}

bool has_completions(const ServerInfo& server) {
  const auto completes = [](const PromptArgument& argument) {
    return static_cast<bool>(argument.complete);
  };
  return std::ranges::any_of(server.prompts,
                             [&completes](const Prompt& prompt) {
                               return std::ranges::any_of(prompt.arguments, completes);
                             }) ||
         std::ranges::any_of(server.resource_templates, [](const ResourceTemplate& family) {
           return !family.completers.empty();
         });
}

bool has_logging(const ServerInfo& server) {
  return server.logging;
}

std::optional<ResourceMatch> find_resource(const ServerInfo& server, std::string_view uri) {
  for (const Resource& resource : server.resources) {
    if (resource.uri != uri) continue;
    return ResourceMatch{.read = &resource.read, .cache = resource.cache, .variables = {}};
  }
  for (const ResourceTemplate& family : server.resource_templates) {
    std::optional<Variables> variables = match_template(family.uri, uri);
    if (!variables) continue;
    return ResourceMatch{
        .read = &family.read, .cache = family.cache, .variables = std::move(*variables)};
  }
  return std::nullopt;
}

std::optional<const Completer*> find_completer(const ServerInfo& server,
                                               const json::Value& reference,
                                               std::string_view name) {
  const std::string_view type = reference["type"].string_or({});
  if (type == "ref/prompt") {
    for (const Prompt& prompt : server.prompts) {
      if (prompt.name != reference["name"].string_or({})) continue;
      for (const PromptArgument& argument : prompt.arguments) {
        if (argument.name == name) return &argument.complete;
      }
    }
  } else if (type == "ref/resource") {
    for (const ResourceTemplate& family : server.resource_templates) {
      if (family.uri != reference["uri"].string_or({})) continue;
      if (family.uri.find("{" + std::string(name) + "}") == std::string::npos) continue;
      const auto found = family.completers.find(std::string(name));
      return found == family.completers.end() ? nullptr : &found->second;
    }
  }
  return std::nullopt;
}

std::optional<Variables> match_template(std::string_view uri_template, std::string_view uri) {
  Variables variables;
  while (true) {
    const std::size_t open = uri_template.find('{');
    const std::string_view literal = uri_template.substr(0, open);
    if (!uri.starts_with(literal)) return std::nullopt;
    uri.remove_prefix(literal.size());
    if (open == std::string_view::npos) break;
    const std::size_t close = uri_template.find('}', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view name = uri_template.substr(open + 1, close - open - 1);
    uri_template.remove_prefix(close + 1);
    const std::string_view next = uri_template.substr(0, uri_template.find('{'));
    const std::size_t max_length = std::min(uri.find_first_of("/?#"), uri.size());
    const std::size_t length = next.empty() ? max_length : std::min(uri.find(next, 1), max_length);
    if (uri.empty() || length == 0) return std::nullopt;
    variables.emplace_back(name, text::percent_decode(uri.substr(0, length)));
    uri.remove_prefix(length);
  }
  if (!uri.empty()) return std::nullopt;
  return variables;
}

}  // namespace molecule::mcp
