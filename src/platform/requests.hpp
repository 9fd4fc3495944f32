#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace molecule::platform {

/// What an agent asks of the person or of a peer (page.md 3.2).
struct NewRequest {
  /// `task` or `approval`.
  std::string kind;
  std::string title;
  std::string detail = {};
  /// A workspace; empty for the person.
  std::string recipient_id = {};
  std::optional<std::int64_t> priority = std::nullopt;
  /// A request with the same key that is still open is the same request.
  std::string key = {};

  /// A host's permission prompt (page.md 3.6).
  struct Prompt {
    std::string prompt_id;
    std::string tool_name;
    std::string description;
    std::string input_preview;
    std::string session;
  };
  std::optional<Prompt> prompt = std::nullopt;
};

struct RequestCreated {
  std::string request_id;
  std::string status;
};

/// The key of a request that is told apart by its content: the same again, while it is open, is the
/// same request, whichever program or session makes it.
std::string content_key(const NewRequest& request);

/// The body of `POST …/requests`.
std::string to_json(const NewRequest& request);

}  // namespace molecule::platform
