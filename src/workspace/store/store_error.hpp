#pragma once

#include <stdexcept>
#include <string>

namespace molecule::workspace {

/// Why a file of the state folder could not be read or written. The only storage error that leaves
/// `store`; `what()` is a line for people that names the file or what failed.
class StoreError : public std::runtime_error {
 public:
  enum class Kind {
    busy,      ///< another process is writing; worth another try
    full,      ///< the disk is full, or the file cannot be written
    damaged,   ///< not a database, or a broken one
    not_ours,  ///< another program's database
    newer,     ///< made by a newer version of this program
    failed     ///< anything else
  };

  StoreError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}

  Kind kind() const { return kind_; }
  bool busy() const { return kind_ == Kind::busy; }

 private:
  Kind kind_;
};

}  // namespace molecule::workspace
