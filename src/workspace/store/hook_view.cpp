#include "workspace/store/hook_view.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/files/lock_file.hpp"
#include "base/sqlite/sqlite.hpp"
#include "workspace/store/sessions.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t max_first = 3;

/// What sessions that run have, or were pushed a moment ago.
std::set<std::int64_t> held_messages(sqlite::Database& db, Sessions& sessions,
                                     const Timing& timing) {
  std::set<std::int64_t> held;
  const auto add = [&held, &sessions](sqlite::Statement row) {
    while (row.step()) {
      if (sessions.alive(row.integer(1))) held.insert(row.integer(0));
    }
  };
  add(db.prepare("SELECT seq, session FROM leases"));
  sqlite::Statement pushed =
      db.prepare("SELECT seq, session FROM announcements WHERE announced_at > ?1");
  pushed.bind(sessions.now() - std::chrono::microseconds(timing.announcement).count());
  add(std::move(pushed));
  return held;
}

class Reader {
 public:
  Reader(sqlite::Database& db, std::set<std::int64_t> held, const Told& told,
         CountUsers count_users)
      : db_(db), held_(std::move(held)), told_(told), count_users_(count_users) {}

  HookView read() {
    // Apart, each is answered from the ends of a tree.
    view_.waiting =
        static_cast<std::size_t>(number("SELECT count(*) FROM messages")) - held_.size();
    // A message that is removed must not make older ones new.
    view_.all.newest = std::max(number("SELECT coalesce(max(seq), 0) FROM messages"), told_.newest);
    view_.all.passed_over.assign(held_.begin(), held_.end());
    for (const std::int64_t seq : told_.passed_over) look_at(seq);
    sqlite::Statement row =
        db_.prepare("SELECT seq FROM messages WHERE seq > ?1 ORDER BY seq LIMIT 64");
    row.bind(told_.newest);
    std::vector<std::int64_t> beginning;
    while (row.step()) beginning.push_back(row.integer(0));
    for (const std::int64_t seq : beginning) look_at(seq);
    if (!beginning.empty()) count_rest(beginning.back());
    return std::move(view_);
  }

 private:
  std::int64_t number(std::string_view sql) {
    sqlite::Statement row = db_.prepare(sql);
    return row.step() ? row.integer(0) : 0;
  }

  void look_at(std::int64_t seq) {
    if (held_.contains(seq)) return;
    sqlite::Statement row = db_.prepare("SELECT kind, peer_name FROM message_view WHERE seq = ?1");
    row.bind(seq);
    if (!row.step()) return;
    ++view_.fresh;
    if (row.text(0) == "canvas_user") ++view_.fresh_from_user;
    if (view_.first.size() < max_first) view_.first.push_back({row.string(0), row.string(1)});
  }

  /// The index has the numbers, so that no text is read.
  void count_rest(std::int64_t after) {
    sqlite::Statement row =
        db_.prepare("SELECT count(*) FROM messages INDEXED BY messages_sequence WHERE seq > ?1");
    row.bind(after);
    if (!row.step()) return;
    const auto held = std::distance(held_.upper_bound(after), held_.end());
    view_.fresh += static_cast<std::size_t>(row.integer(0) - held);
    if (count_users_ == CountUsers::yes) count_users(after);
  }

  void count_users(std::int64_t after) {
    sqlite::Statement row =
        db_.prepare("SELECT seq FROM messages WHERE seq > ?1 AND kind = 'canvas_user'");
    row.bind(after);
    while (row.step()) {
      if (!held_.contains(row.integer(0))) ++view_.fresh_from_user;
    }
  }

  sqlite::Database& db_;
  std::set<std::int64_t> held_;
  const Told& told_;
  CountUsers count_users_;
  HookView view_;
};

}  // namespace

HookView read_hook_view(const std::filesystem::path& state_folder, const Told& told, Clock& clock,
                        const Timing& timing, CountUsers count_users) {
  const std::filesystem::path path = state_folder / "inbox.db";
  if (::access(path.c_str(), R_OK) != 0) {
    HookView nothing;
    nothing.all = told;
    return nothing;
  }
  try {
    Sessions sessions(state_folder, clock, timing, LockFile::ReadOnly());
    sqlite::Database db(path, sqlite::Database::ReadOnly());
    // One consistent view, whatever is written meanwhile.
    db.execute("BEGIN");
    return Reader(db, held_messages(db, sessions, timing), told, count_users).read();
  } catch (const sqlite::Error& error) {
    throw StoreError(StoreError::Kind::failed, error.what());
  }
}

}  // namespace molecule::workspace
