#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "molecule/mcp/tool.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

// What tools do, as hints for the host.
inline constexpr mcp::Annotations read_only{
    .read_only = true, .destructive = false, .idempotent = true, .open_world = false};
inline constexpr mcp::Annotations adds{
    .read_only = false, .destructive = false, .idempotent = false, .open_world = false};
inline constexpr mcp::Annotations destructive_once{
    .read_only = false, .destructive = true, .idempotent = true, .open_world = false};
inline constexpr mcp::Annotations replaces{
    .read_only = false, .destructive = true, .idempotent = true, .open_world = true};
inline constexpr mcp::Annotations sends{
    .read_only = false, .destructive = false, .idempotent = false, .open_world = true};
inline constexpr mcp::Annotations sends_once{
    .read_only = false, .destructive = false, .idempotent = true, .open_world = true};

/// The schema of a tool without arguments.
inline constexpr const char* no_arguments =
    R"({"type":"object","properties":{},"additionalProperties":false})";
/// The output schema of an object whose members the platform chooses.
inline constexpr const char* any_object = R"({"type":"object"})";

/// Everything that the host learns about a tool.
struct Declaration {
  std::string name;
  std::string title;
  std::string description;
  std::string input_schema = no_arguments;
  std::string output_schema = {};
  mcp::Annotations hints;
  /// The argument that chooses one of several workspaces (`choose.hpp`); null: none.
  const char* choice = nullptr;
  std::string meta = {};
};

/// The tools of the server, each added once: its declaration, its schemas and its handler.
class ToolRegistry {
 public:
  explicit ToolRegistry(Services& services) : services_(services) {}

  using Handler = awaitable<mcp::ToolResult> (*)(Services& services, mcp::Call& call);
  void add(Declaration declaration, Handler handler);
  /// For handlers that share an object between calls.
  template <class Shared>
  void add(Declaration declaration, std::shared_ptr<Shared> shared,
           awaitable<mcp::ToolResult> (*handler)(Services&, std::shared_ptr<Shared>, mcp::Call&)) {
    add_tool(std::move(declaration),
             [&services = services_, shared = std::move(shared), handler](mcp::Call& call) {
               return handler(services, shared, call);
             });
  }

  Services& services() { return services_; }
  std::vector<mcp::Tool> take() { return std::move(tools_); }

 private:
  void add_tool(Declaration declaration,
                std::function<awaitable<mcp::ToolResult>(mcp::Call& call)> handler);

  Services& services_;
  std::vector<mcp::Tool> tools_;
};

void add_delegation_tools(ToolRegistry& tools);
void add_task_status_tools(ToolRegistry& tools);
void add_peer_tools(ToolRegistry& tools);
void add_user_message_tools(ToolRegistry& tools);
void add_inbox_tools(ToolRegistry& tools);
void add_memory_tools(ToolRegistry& tools);
void add_reply_tools(ToolRegistry& tools);
void add_platform_tools(ToolRegistry& tools);

/// In the order in which the tools are listed (molecule-mcp.md 6).
inline constexpr std::array subjects{
    add_delegation_tools, add_task_status_tools, add_peer_tools,  add_user_message_tools,
    add_inbox_tools,      add_memory_tools,      add_reply_tools, add_platform_tools};

}  // namespace molecule::tools
