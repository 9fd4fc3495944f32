#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "molecule/mcp/tool.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

// What tools do, as hints for the host: only where the protocol's default says otherwise, since the
// list is paid for in tokens.
inline constexpr mcp::Annotations read_only{
    .read_only = true, .destructive = {}, .idempotent = {}, .open_world = {}};
inline constexpr mcp::Annotations adds{
    .read_only = {}, .destructive = false, .idempotent = {}, .open_world = {}};
inline constexpr mcp::Annotations destructive_once{
    .read_only = {}, .destructive = {}, .idempotent = true, .open_world = {}};
inline constexpr mcp::Annotations replaces{
    .read_only = {}, .destructive = {}, .idempotent = true, .open_world = {}};
inline constexpr mcp::Annotations sends{
    .read_only = {}, .destructive = false, .idempotent = {}, .open_world = {}};

/// `meta` of the tools that hosts which hide tools behind a search must show at once.
inline constexpr const char* always_loaded = R"({"anthropic/alwaysLoad":true})";

/// The schema of a tool without arguments.
inline constexpr const char* no_arguments =
    R"({"type":"object","properties":{},"additionalProperties":false})";

/// Everything that the host learns about a tool.
struct Declaration {
  std::string name;
  std::string description;
  std::string input_schema = no_arguments;
  /// Its results are JSON, and come as structured content too. They have no schema: the platform
  /// chooses their members, and each schema costs the agent's context.
  bool is_json = false;
  mcp::Annotations hints;
  /// The argument that chooses one of several workspaces (`choose.hpp`), besides which
  /// `source_argument` is taken; null: none.
  const char* choice = nullptr;
  std::string meta = {};
  /// False for tools that have an answer of their own while nothing can be used.
  bool needs_workspace = true;
};

/// The tools of the server, each added once: its declaration, its schemas and its handler. What all
/// tools have in common is here: an argument that a tool does not take is refused, with those that
/// it takes; while nothing can be used (`Services::problem`) the answer is why; and a result is
/// limited in length (limits.hpp).
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
void add_chat_history_tools(ToolRegistry& tools);
void add_request_tools(ToolRegistry& tools);
void add_platform_tools(ToolRegistry& tools);

/// In the order in which the tools are listed (molecule-mcp.md 6).
inline constexpr std::array subjects{
    add_delegation_tools, add_task_status_tools, add_peer_tools,  add_user_message_tools,
    add_inbox_tools,      add_memory_tools,      add_reply_tools, add_chat_history_tools,
    add_request_tools,    add_platform_tools};

}  // namespace molecule::tools
