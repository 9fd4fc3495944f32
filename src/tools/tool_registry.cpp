#include "tools/tool_registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "base/json/reader.hpp"
#include "base/text/text.hpp"
#include "tools/peers/choose.hpp"
#include "tools/results/limits.hpp"

namespace molecule::tools {

namespace {

/// The arguments of a tool: those in its schema, and those that it takes besides.
struct Accepted {
  std::vector<std::string> shown;
  std::vector<std::string> also;

  bool has(std::string_view name) const {
    return std::ranges::find(shown, name) != shown.end() ||
           std::ranges::find(also, name) != also.end();
  }
};

std::vector<std::string> property_names(std::string_view schema) {
  json::Document document;
  std::vector<std::string> names;
  const auto parsed = document.parse(schema);
  if (!parsed.ok()) throw std::invalid_argument("a tool's input schema is not JSON");
  for (const auto& [name, property] : (*parsed)["properties"].members()) names.emplace_back(name);
  return names;
}

/// What is wrong with the names of these arguments; empty if nothing is.
std::string unknown_arguments(json::Value arguments, const Accepted& accepted) {
  std::string unknown;
  for (const auto& [name, value] : arguments.members()) {
    if (accepted.has(name)) continue;
    if (!unknown.empty()) unknown += ", ";
    unknown += fmt::format("`{}`", text::sanitize_name(name));
  }
  if (unknown.empty()) return unknown;
  if (accepted.shown.empty())
    return fmt::format("Unknown arguments: {}. This tool takes none.", unknown);
  return fmt::format("Unknown arguments: {}. This tool takes `{}`.", unknown,
                     fmt::join(accepted.shown, "`, `"));
}

mcp::ToolResult refused(std::string text) {
  return {.text = std::move(text), .is_error = true};
}

awaitable<mcp::ToolResult> answer(mcp::ToolResult result) {
  co_return result;
}

/// JSON is not cut: its tools limit it themselves.
awaitable<mcp::ToolResult> limited(awaitable<mcp::ToolResult> call, bool is_json) {
  auto result = co_await std::move(call);
  if (!is_json || result.is_error) limit(result);
  co_return result;
}

}  // namespace

void ToolRegistry::add(Declaration declaration, Handler handler) {
  add_tool(std::move(declaration),
           [&services = services_, handler](mcp::Call& call) { return handler(services, call); });
}

void ToolRegistry::add_tool(Declaration declaration,
                            std::function<awaitable<mcp::ToolResult>(mcp::Call& call)> handler) {
  Accepted accepted;
  if (declaration.choice != nullptr) accepted.also = {source_argument, declaration.choice};
  std::string schema = std::move(declaration.input_schema);
  if (declaration.choice != nullptr) schema = with_choice(services_, std::move(schema));
  accepted.shown = property_names(schema);
  const bool needs_workspace = declaration.needs_workspace;
  const bool is_json = declaration.is_json;
  auto checked = [&services = services_, accepted = std::move(accepted), needs_workspace, is_json,
                  handler = std::move(handler)](mcp::Call& call) {
    if (needs_workspace && !services.problem.empty()) return answer(refused(services.problem));
    std::string unknown = unknown_arguments(call.arguments(), accepted);
    if (!unknown.empty()) return answer(refused(std::move(unknown)));
    if (services.tool_called) services.tool_called();
    return limited(handler(call), is_json);
  };
  tools_.push_back({.name = std::move(declaration.name),
                    .title = {},
                    .description = std::move(declaration.description),
                    .input_schema = std::move(schema),
                    .output_schema = {},
                    .structured = is_json,
                    .annotations = declaration.hints,
                    .meta = std::move(declaration.meta),
                    .handler = std::move(checked)});
}

std::vector<mcp::Tool> make_tools(Services& services) {
  ToolRegistry registry(services);
  for (const auto add_tools : subjects) add_tools(registry);
  return registry.take();
}

}  // namespace molecule::tools
