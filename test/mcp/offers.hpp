#pragma once

#include "molecule/mcp/session.hpp"

namespace molecule::mcp::test {

/// A server with something of every kind: tools `tool0` to `tool4`, `media`, `data`, `log`, `ask`
/// (elicitation, with the state `asked`) and `ask_too` (the same, under another name); resources
/// `test://a` and `test://item/{id}` (but item 404 is not there), which can be subscribed to; the
/// prompts `greet` (needs `name`, which completes) and `asking`.
ServerInfo make_offers();

}  // namespace molecule::mcp::test
