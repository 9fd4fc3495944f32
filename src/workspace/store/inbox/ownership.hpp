#pragma once

#include <filesystem>
#include <stdexcept>

#include "workspace/store/database.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

class IdleInbox;
class PollState;

/// Thrown by the owner's functions in a process that is no longer the owner; nothing is changed
/// then.
class NotTheOwner : public std::runtime_error {
 public:
  NotTheOwner() : std::runtime_error("another process owns the inbox") {}
};

/// Which session owns the workspace, as the database has it: the one that fills the inbox. Throws
/// `StoreError`.
class Ownership {
 public:
  Ownership(Database& database, IdleInbox& idle, Sessions& sessions, PollState& poll_state)
      : database_(database), idle_(idle), sessions_(sessions), poll_state_(poll_state) {}

  /// True if this session is the owner. It becomes the owner unless another one precedes it.
  bool claim();
  /// How often it became the owner, including when it learns only now that another session was the
  /// owner in between.
  unsigned claims() const { return claims_; }
  /// Ends the ownership of this session. Opens no file.
  void release();

  /// Within a transaction. Throws `NotTheOwner` if another session owns the workspace; if nobody
  /// ever claimed it, everybody may write.
  void require(sqlite::Database& db);

 private:
  bool preceded_by(Sessions::Id owner);
  bool claim(sqlite::Database& db);

  Database& database_;
  IdleInbox& idle_;
  Sessions& sessions_;
  PollState& poll_state_;
  unsigned claims_ = 0;
  /// The opening of the file in which this session was found to be the owner; 0 if it was not.
  unsigned found_ = 0;
};

}  // namespace molecule::workspace
