#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "base/async/clock.hpp"

namespace molecule::server {

/// All connections of clients: how long each has been silent, and which one is dropped where there
/// are too many. Knows no sockets.
class Connections {
 public:
  struct Limits {
    /// From the first byte of a request, or the connection's start, to the end of its head.
    Clock::duration head = std::chrono::seconds(10);
    /// Between two parts of a body.
    Clock::duration body = std::chrono::seconds(15);
    /// Between two parts of an answer that the client takes.
    Clock::duration answer = std::chrono::seconds(20);
    /// Between two requests.
    Clock::duration idle = std::chrono::seconds(150);
    /// After so long without a request, a connection is to rest.
    Clock::duration rest = std::chrono::milliseconds(200);
  };

  /// What a connection's owner does with it.
  struct Owner {
    std::function<void()> drop = {};
    /// Called once each time it has been idle for a while. It need not do anything.
    std::function<void()> rest = {};
  };

  enum class Phase {
    idle,    ///< no byte of a request
    head,    ///< in the middle of a request's head
    body,    ///< in the middle of a request's body
    answer,  ///< a request is handled and answered
    stream   ///< it became a WebSocket, or an event stream
  };

  /// One connection, from its start to its end.
  class Entry {
   public:
    explicit Entry(std::shared_ptr<Connections> all);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

    /// Bytes came, or a request is waited for.
    void enter(Phase phase);
    /// There are bytes that the client has to take; it took some.
    void write_began();
    void write_ended() { writing_ = false; }
    /// Once; then the owner is told.
    void drop();
    /// Again whenever the connection moves; none where it has no owner.
    void set_owner(Owner owner) { owner_ = std::move(owner); }

   private:
    friend class Connections;
    using List = std::list<Entry*>;
    void move_to(List& list);
    bool is_late(Clock::time_point now) const;

    std::shared_ptr<Connections> all_;
    Owner owner_;
    List* list_;
    List::iterator place_;
    Phase phase_ = Phase::idle;
    bool served_ = false;
    bool dropped_ = false;
    /// Since it is idle, the owner was told to let it rest.
    bool rests_ = false;
    bool writing_ = false;
    Clock::time_point since_;
    Clock::time_point asked_;
  };

  Connections(Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  std::size_t size() const { return strangers_.size() + resting_.size() + active_.size(); }
  /// Drops connections that do nothing until `count` are on their way out: first those that never
  /// sent a whole request, then those that rest between two, the longest silent first. Where all
  /// are busy, the one that has taken nothing of its answer for longest.
  void drop_silent(std::size_t count);
  /// Drops what has passed its limit.
  void drop_late();
  /// Lets connections rest that have been idle for a while, at most `most` of them: each takes some
  /// microseconds. True if there are others that may soon.
  bool rest_idle(std::size_t most);

 private:
  Clock& clock_;
  Limits limits_;
  /// Never sent a whole request, in the order of their start.
  Entry::List strangers_;
  /// Between two requests, in the order in which they fell silent.
  Entry::List resting_;
  Entry::List active_;
  /// Dropped, but not yet gone.
  std::size_t dropped_ = 0;
};

}  // namespace molecule::server
