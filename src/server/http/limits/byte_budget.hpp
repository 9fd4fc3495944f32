#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace molecule::server {

/// Memory (or any other thing that is counted) which clients make the server hold: so much for one
/// owner, so much for all of them together. An owner is whom the requests come from, however many
/// connections that has.
class ByteBudget {
 public:
  struct Limits {
    std::uint64_t one = 0;
    std::uint64_t all = 0;
  };

  /// What is counted in one place; it is given back when this goes away.
  class Share {
   public:
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share();

    /// False, and nothing is counted, where a limit would be passed.
    bool grow(std::uint64_t bytes);
    /// Counts what is there already, whatever the limits say.
    void force(std::uint64_t bytes);
    void shrink(std::uint64_t bytes);
    std::uint64_t bytes() const { return bytes_; }

   private:
    friend class ByteBudget;
    struct State;
    Share(std::shared_ptr<State> state, std::string_view owner);

    std::shared_ptr<State> state_;
    std::string owner_;
    std::uint64_t bytes_ = 0;
  };

  explicit ByteBudget(Limits limits);

  /// Shares may outlive the budget.
  std::shared_ptr<Share> share(std::string_view owner) const;
  std::uint64_t held_by(std::string_view owner) const;
  std::uint64_t held() const;

 private:
  std::shared_ptr<Share::State> state_;
};

}  // namespace molecule::server
