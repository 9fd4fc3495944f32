#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "server/http/limits/byte_budget.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// What answers may hold while clients do not take them: memory, or a descriptor for a file. Small
/// ones are not counted, as a connection has one answer at a time.
class UnsentAnswers {
 public:
  static constexpr std::size_t small = std::size_t{64} << 10;

  struct Limits {
    ByteBudget::Limits bytes{.one = std::uint64_t{48} << 20, .all = std::uint64_t{192} << 20};
    std::uint64_t files_of_one = 16;
  };

  UnsentAnswers(Limits limits, std::size_t max_files)
      : limits_(limits),
        bytes_(limits.bytes),
        files_({.one = limits.files_of_one, .all = max_files}) {}

  /// Before the work: 503 for a question of somebody who holds as much as may be.
  std::optional<Reply> refusal(const Request& request) const;
  /// What the answer holds until it is sent. Puts a 503 in its place where that is too much, unless
  /// something was changed for it: what is done cannot be refused any more.
  std::shared_ptr<ByteBudget::Share> hold(const Request& request, Reply& reply) const;

 private:
  Limits limits_;
  ByteBudget bytes_;
  ByteBudget files_;
};

}  // namespace molecule::server
