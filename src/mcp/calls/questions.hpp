#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async/event.hpp"
#include "mcp/wire/encode.hpp"
#include "mcp/wire/message.hpp"
#include "mcp/wire/output_queue.hpp"
#include "molecule/mcp/content.hpp"

namespace molecule::mcp {

/// The input requests of one call that were sent to the host, and its answers so far.
struct Round {
  explicit Round(Clock& clock) : changed(clock) {}
  bool done() const { return open == 0 || refusal.has_value(); }

  std::size_t open = 0;
  /// Keyed by `InputRequest::key`; each document's root is the response message.
  std::map<std::string, json::Document, std::less<>> answers;
  /// The first error that the host answered with.
  std::optional<encode::Error> refusal;
  Event changed;
};

/// Requests from the server to a host that negotiated its revision.
class Questions {
 public:
  explicit Questions(std::shared_ptr<OutputQueue> output) : output_(std::move(output)) {}

  /// Sends every request and counts it in `round`.
  void ask(const std::vector<InputRequest>& requests, const std::shared_ptr<Round>& round);
  /// Matches a response to its request and moves it out of `document`. Unknown ids are ignored.
  void answered(const Message& message, json::Document& document);
  /// Cancels the requests that `round` is still waiting for.
  void withdraw(const std::shared_ptr<Round>& round);

 private:
  struct Question {
    std::string key;
    std::string method;
    std::shared_ptr<Round> round;
  };
  std::shared_ptr<OutputQueue> output_;
  std::map<std::int64_t, Question> open_;
  std::int64_t last_id_ = 0;
};

}  // namespace molecule::mcp
