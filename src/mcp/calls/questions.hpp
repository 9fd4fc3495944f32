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

/// The host's answers to the input requests of one call, as they come in.
struct Round {
  explicit Round(Clock& clock) : changed(clock) {}
  bool done() const { return open == 0 || refusal.has_value(); }

  std::size_t open = 0;
  /// By the input request's key: documents whose root is the answering message.
  std::map<std::string, json::Document, std::less<>> answers;
  /// The host's error to one of them.
  std::optional<encode::Error> refusal;
  Event changed;
};

/// Requests of ours to a host of the revisions before 2026-07-28.
class Questions {
 public:
  explicit Questions(std::shared_ptr<OutputQueue> output) : output_(std::move(output)) {}

  /// Sends them all.
  void ask(const std::vector<InputRequest>& requests, const std::shared_ptr<Round>& round);
  /// Takes a response out of `document`; what nobody waits for is ignored.
  void answered(const Message& message, json::Document& document);
  /// Cancels what `round` still waits for.
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
