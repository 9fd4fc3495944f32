#pragma once

#include "molecule/mcp/session.hpp"

namespace molecule::mcp::test {

/// A server with one of everything: the tools `tool0` to `tool4`, `media`, `data`, `log`, `ask`
/// (elicitation with the state `asked`) and `ask_too` (the same under another name); the resources
/// `test://a` and `test://item/{id}` (item 404 does not exist), which accept subscriptions; the
/// prompts `greet` (requires `name`, which has completions) and `asking`.
ServerInfo make_offers();

}  // namespace molecule::mcp::test
