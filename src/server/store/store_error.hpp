#pragma once

#include <stdexcept>
#include <string>

namespace molecule::server {

/// A failed call to the store.
class StoreError : public std::runtime_error {
 public:
  enum class Kind {
    unavailable,  ///< busy, full, away, or not writable: may work later
    conflict,     ///< another transaction was in the way: works if the whole is tried again
    failed        ///< anything else
  };

  StoreError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace molecule::server
