#include "tools/tool_registry.hpp"

#include "tools/peers/choose.hpp"

namespace molecule::tools {

void ToolRegistry::add(Declaration declaration, Handler handler) {
  add_tool(std::move(declaration),
           [&services = services_, handler](mcp::Call& call) { return handler(services, call); });
}

void ToolRegistry::add_tool(Declaration declaration,
                            std::function<awaitable<mcp::ToolResult>(mcp::Call& call)> handler) {
  std::string schema = std::move(declaration.input_schema);
  if (declaration.choice != nullptr) {
    schema = with_choice(services_, declaration.choice, std::move(schema));
  }
  tools_.push_back({.name = std::move(declaration.name),
                    .title = std::move(declaration.title),
                    .description = std::move(declaration.description),
                    .input_schema = std::move(schema),
                    .output_schema = std::move(declaration.output_schema),
                    .annotations = declaration.hints,
                    .meta = std::move(declaration.meta),
                    .handler = std::move(handler)});
}

std::vector<mcp::Tool> make_tools(Services& services) {
  ToolRegistry registry(services);
  for (const auto add_tools : subjects) add_tools(registry);
  return registry.take();
}

}  // namespace molecule::tools
