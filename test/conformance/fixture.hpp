#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/clock.hpp"
#include "molecule/mcp/session.hpp"

// A server with the tools, the resources and the prompts that the public conformance suite calls.
// Their names, arguments and results are the suite's.
namespace molecule::conformance {

/// One pixel and one empty sound.
std::string png();
std::string wav();

using ToolHandler = std::function<awaitable<mcp::ToolResult>(mcp::Call&)>;
mcp::Tool make_tool(std::string name, std::string description, ToolHandler handler,
                    std::string input_schema = R"({"type":"object","properties":{}})");

/// An `elicitation/create` for an object with these properties (JSON), all of them required.
mcp::InputRequest elicit(std::string key, std::string_view message, std::string_view properties,
                         const std::vector<std::string>& required);
/// A `sampling/createMessage` with one message of the user's.
mcp::InputRequest sample(std::string key, std::string_view text);
mcp::InputRequest ask_roots(std::string key);

void add_content_tools(mcp::ServerInfo& server, Clock& clock);
/// Tools that ask the host.
void add_asking_tools(mcp::ServerInfo& server);
/// Tools that ask the host and check how the request comes back.
void add_round_tools(mcp::ServerInfo& server);
void add_resources(mcp::ServerInfo& server);
void add_prompts(mcp::ServerInfo& server);

}  // namespace molecule::conformance
