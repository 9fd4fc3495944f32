#pragma once

#include <string>
#include <string_view>

#include "mcp/host.hpp"

namespace molecule::mcp::test {

/// A request, as one line.
inline std::string request(std::string_view id, std::string_view method,
                           std::string_view params = "{}") {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":)" + std::string(params) + "}";
}

/// A `tools/call` request; `more` is appended to its params.
inline std::string call(std::string_view id, std::string_view tool,
                        std::string_view arguments = "{}", std::string_view more = "") {
  return request(id, "tools/call",
                 R"({"name":")" + std::string(tool) + R"(","arguments":)" + std::string(arguments) +
                     std::string(more) + "}");
}

/// A stateless request: `params` are members that follow `_meta`, `meta` members inside it.
inline std::string stateless(std::string_view id, std::string_view method,
                             std::string_view params = "", std::string_view meta = "",
                             std::string_view capabilities = "{}") {
  return request(id, method,
                 R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                 R"("io.modelcontextprotocol/clientCapabilities":)" +
                     std::string(capabilities) + (meta.empty() ? "" : ",") + std::string(meta) +
                     "}" + (params.empty() ? "" : ",") + std::string(params) + "}");
}

inline std::string cancelled(std::string_view id) {
  return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
         std::string(id) + "}}";
}

/// The text of a tool result.
inline std::string_view text_of(const Answer& answer) {
  return answer["result"]["content"].items().at(0)["text"].string_or("<none>");
}

}  // namespace molecule::mcp::test
