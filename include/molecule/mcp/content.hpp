#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What tools, prompts and resources return to a host. Binary data is held as raw bytes; the session
// encodes it as base64. Fields and content types that the negotiated revision does not define are
// not sent: audio before 2025-03-26 and resource links before 2025-06-18 become text that names
// them.
namespace molecule::mcp {

struct TextContent {
  std::string text;
};

struct ImageContent {
  /// The raw bytes of the image.
  std::string data;
  /// For example `image/png`.
  std::string mime_type;
};

struct AudioContent {
  /// The raw bytes of the recording.
  std::string data;
  std::string mime_type;
};

/// The text or the bytes of one resource.
struct ResourceContents {
  /// May be empty in a `ReadResult`: the session then sends the requested URI.
  std::string uri = {};
  std::string mime_type = {};
  /// UTF-8 text, or raw bytes if `binary` is set.
  std::string data = {};
  bool binary = false;
};

/// A resource's contents inside a content list.
struct EmbeddedResource {
  ResourceContents resource;
};

/// A reference to a resource, which need not be in `resources/list`.
struct ResourceLink {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
};

using Content =
    std::variant<TextContent, ImageContent, AudioContent, EmbeddedResource, ResourceLink>;

/// A request for input from the host, its model or its user (2026-07-28, input required).
struct InputRequest {
  /// Identifies the answer: pass it to `Call::input`.
  std::string key;
  /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
  std::string method;
  /// The params of `method`: the text of a JSON object.
  std::string params = "{}";
};

/// Returned by a handler that cannot finish without more input. The session obtains the answers
/// and calls the handler again with the same arguments. Handlers work the same way in every
/// revision: in 2026-07-28 the host repeats its request with the answers, in earlier revisions the
/// session sends the host requests of its own.
struct InputNeeded {
  std::vector<InputRequest> requests;
  /// Returned by `Call::state` in the next round. The host sees only a random token for it, valid
  /// in this process and for the same method and name, so it can neither read nor change the state.
  std::string state = {};
};

/// The severity of a `notifications/message` (RFC 5424 6.2.1), lowest first.
enum class LogLevel { debug, info, notice, warning, error, critical, alert, emergency };

/// Suggested values for an argument that the user is typing. The session sends at most 100.
struct Completion {
  std::vector<std::string> values;
  /// The total number of matches, if known.
  std::optional<std::int64_t> total = std::nullopt;
};

/// How long a host may cache a result (2026-07-28).
struct Cache {
  /// In milliseconds; 0 means do not cache.
  std::int64_t ttl_ms = 0;
  /// True if the result is the same for every caller, so that a shared cache may keep it.
  bool is_public = false;
};

}  // namespace molecule::mcp
