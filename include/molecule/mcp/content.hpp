#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What tools, prompts and resources give to a host. Binary data is held as bytes; the session
// encodes it (base64). A kind or a field that the negotiated revision does not know is not sent:
// audio before 2025-03-26 and resource links before 2025-06-18 become a text that names them.
namespace molecule::mcp {

struct TextContent {
  std::string text;
};

struct ImageContent {
  /// The picture's bytes.
  std::string data;
  /// E.g. `image/png`.
  std::string mime_type;
};

struct AudioContent {
  std::string data;
  std::string mime_type;
};

/// The text or the bytes of one resource.
struct ResourceContents {
  /// Empty in the answer to `resources/read`: the URI that was asked for.
  std::string uri = {};
  std::string mime_type = {};
  /// UTF-8 text, or bytes where `binary`.
  std::string data = {};
  bool binary = false;
};

/// A resource's contents as a part of something else.
struct EmbeddedResource {
  ResourceContents resource;
};

/// Where something can be read; it need not be in the resource list.
struct ResourceLink {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
};

using Content =
    std::variant<TextContent, ImageContent, AudioContent, EmbeddedResource, ResourceLink>;

/// Something that only the host, its model or its user can tell (2026-07-28, input required).
struct InputRequest {
  /// Names the answer: `Call::input(key)` finds it.
  std::string key;
  /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
  std::string method;
  /// That method's params as a JSON object's text.
  std::string params = "{}";
};

/// The result of a handler that cannot finish before these are answered: it is then called again,
/// with the same arguments and the answers. One code path for every revision: in 2026-07-28 the
/// host repeats its request, before that the session asks the host with requests of its own.
struct InputNeeded {
  std::vector<InputRequest> requests;
  /// Given back by `Call::state` in the next round. The host holds only a token that stands for it
  /// in this process, for this method and name: it can neither read nor change it.
  std::string state = {};
};

/// A level of `notifications/message` (RFC 5424 6.2.1).
enum class LogLevel { debug, info, notice, warning, error, critical, alert, emergency };

/// Values for an argument that the user is typing; the session sends the first hundred.
struct Completion {
  std::vector<std::string> values;
  /// How many there are in all, where that is known.
  std::optional<std::int64_t> total = std::nullopt;
};

/// How long a host may keep an answer (2026-07-28).
struct Cache {
  std::int64_t ttl_ms = 0;
  /// Nothing in it depends on who asks.
  bool is_public = false;
};

}  // namespace molecule::mcp
