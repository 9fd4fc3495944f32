#include "workspace/store/handler_turns.hpp"

#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::hours;

/// Longer than any budget looks back.
constexpr hours log_kept{48};

constexpr const char* select_candidates =
    "SELECT m.activity_id, m.kind, m.peer_id, coalesce(k.conversation, ''), k.task_id IS NOT NULL,"
    " coalesce(t.tries, 0), coalesce(t.next_try, 0), t.answer IS NOT NULL, coalesce(t.reason, ''),"
    " m.asked_by, coalesce(a.session, 0), coalesce(a.announced_at, 0), coalesce(l.session, 0),"
    " coalesce(l.given_at, 0), coalesce(l.leased_at, 0)"
    " FROM message_view m LEFT JOIN leases l ON l.seq = m.seq"
    " LEFT JOIN announcements a ON a.seq = m.seq LEFT JOIN turns t ON t.seq = m.seq"
    " LEFT JOIN tasks k ON k.task_id = m.task_id AND k.peer_id = m.peer_id"
    " WHERE coalesce(t.set_aside, 0) = 0 ";
constexpr int candidate_record = 9;

std::optional<WallTime> optional_time(const sqlite::Statement& row, int column) {
  if (row.integer(column) == 0) return std::nullopt;
  return from_micros(row.integer(column));
}

}  // namespace

std::string handler_answer_id(std::string_view activity_id) {
  return derived_uuid(text::lower(activity_id), "handler");
}

std::vector<HandlerTurns::Candidate> HandlerTurns::candidates() {
  return database_.use([this](sqlite::Database& db) {
    std::vector<Candidate> all;
    sqlite::Statement row = db.prepare(std::string(select_candidates) + by_urgency);
    while (row.step()) {
      Candidate& one = all.emplace_back();
      one.activity_id = row.string(0);
      one.kind = row.string(1);
      one.peer_id = row.string(2);
      one.conversation = row.string(3);
      one.awaited = row.integer(4) != 0;
      one.tries = static_cast<int>(row.integer(5));
      one.next_try = from_micros(row.integer(6));
      one.has_answer = row.integer(7) != 0;
      one.reason = row.string(8);
      one.state = leases_.state_of(read_record(row, candidate_record));
    }
    return all;
  });
}

bool HandlerTurns::take(const Candidate& candidate) {
  const bool open = candidate.state == delivery::State::open_here;
  return leases_.lease(candidate.activity_id, open ? delivery::Event::act : delivery::Event::wait);
}

void HandlerTurns::give_back(std::string_view activity_id) {
  database_.use([this, activity_id](sqlite::Database& db) {
    db.prepare(
          "DELETE FROM leases WHERE session = ?2 AND seq ="
          " (SELECT seq FROM messages WHERE activity_id = ?1)")
        .bind(activity_id, sessions_.self())
        .run();
    leases_.forget(activity_id);
  });
}

void HandlerTurns::failed(std::string_view activity_id, int tries, WallTime next_try,
                          std::string_view reason) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT INTO turns(seq, tries, next_try, reason)"
          " SELECT seq, ?2, ?3, ?4 FROM messages WHERE activity_id = ?1"
          " ON CONFLICT(seq) DO UPDATE SET tries = ?2, next_try = ?3, reason = ?4")
        .bind(activity_id, tries, to_micros(next_try), reason)
        .run();
  });
}

void HandlerTurns::set_aside(std::string_view activity_id, std::string_view reason) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT INTO turns(seq, set_aside, reason)"
          " SELECT seq, ?2, ?3 FROM messages WHERE activity_id = ?1"
          " ON CONFLICT(seq) DO UPDATE SET set_aside = ?2, reason = ?3")
        .bind(activity_id, to_micros(clock_.wall()), reason)
        .run();
  });
}

void HandlerTurns::keep_answer(std::string_view activity_id, std::string_view answer) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT INTO turns(seq, answer) SELECT seq, ?2 FROM messages WHERE activity_id = ?1"
          " ON CONFLICT(seq) DO UPDATE SET answer = ?2")
        .bind(activity_id, answer)
        .run();
  });
}

std::optional<std::string> HandlerTurns::answer(std::string_view activity_id) {
  return database_.use([&](sqlite::Database& db) -> std::optional<std::string> {
    sqlite::Statement row = db.prepare(
        "SELECT t.answer FROM turns t JOIN messages m ON m.seq = t.seq WHERE m.activity_id = ?1");
    row.bind(activity_id);
    return row.step() ? row.optional_string(0) : std::nullopt;
  });
}

std::vector<HandlerTurns::SetAside> HandlerTurns::set_aside(std::size_t limit) {
  return database_.use([limit](sqlite::Database& db) {
    std::vector<SetAside> all;
    sqlite::Statement turn = db.prepare(
        "SELECT seq, reason, tries, set_aside FROM turns WHERE set_aside != 0 ORDER BY seq");
    while (all.size() < limit && turn.step()) {
      sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE m.seq = ?1");
      row.bind(turn.integer(0));
      if (!row.step()) continue;
      all.push_back({.message = read_message(row),
                     .reason = turn.string(1),
                     .tries = static_cast<int>(turn.integer(2)),
                     .since = from_micros(turn.integer(3))});
    }
    return all;
  });
}

bool HandlerTurns::try_again(std::string_view activity_id) {
  return database_.use([activity_id](sqlite::Database& db) {
    db.prepare(
          "DELETE FROM turns WHERE set_aside != 0 AND seq ="
          " (SELECT seq FROM messages WHERE activity_id = ?1)")
        .bind(activity_id)
        .run();
    return db.changes() > 0;
  });
}

std::optional<HandlerTurns::Session> HandlerTurns::session(std::string_view conversation,
                                                           std::string_view runner) {
  return database_.use([&](sqlite::Database& db) -> std::optional<Session> {
    sqlite::Statement row = db.prepare(
        "SELECT session, working_directory FROM conversations"
        " WHERE conversation = ?1 AND runner = ?2");
    row.bind(conversation, runner);
    if (!row.step()) return std::nullopt;
    return Session{.id = row.string(0), .working_directory = row.string(1)};
  });
}

void HandlerTurns::keep_session(std::string_view conversation, std::string_view runner,
                                const Session& session) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT OR REPLACE INTO conversations(conversation, runner, session, working_directory)"
          " VALUES(?1, ?2, ?3, ?4)")
        .bind(conversation, runner, session.id, session.working_directory)
        .run();
  });
}

void HandlerTurns::forget_session(std::string_view conversation, std::string_view runner) {
  database_.use([&](sqlite::Database& db) {
    db.prepare("DELETE FROM conversations WHERE conversation = ?1 AND runner = ?2")
        .bind(conversation, runner)
        .run();
  });
}

std::int64_t HandlerTurns::begin_turn(std::string_view peer) {
  return database_.use([&](sqlite::Database& db) {
    const WallTime now = clock_.wall();
    sqlite::Transaction transaction(db);
    db.prepare("DELETE FROM turn_log WHERE began_at < ?1").bind(to_micros(now - log_kept)).run();
    db.prepare("INSERT INTO turn_log(began_at, peer) VALUES(?1, ?2)")
        .bind(to_micros(now), peer)
        .run();
    const std::int64_t turn = db.last_insert_id();
    transaction.commit();
    return turn;
  });
}

void HandlerTurns::add_cost(std::int64_t turn, std::int64_t micro_dollars) {
  database_.use([&](sqlite::Database& db) {
    db.prepare("UPDATE turn_log SET cost = cost + ?2 WHERE turn = ?1")
        .bind(turn, micro_dollars)
        .run();
  });
}

int HandlerTurns::turns_since(WallTime since, std::optional<std::string_view> peer) {
  return database_.use([&](sqlite::Database& db) {
    sqlite::Statement row = db.prepare(
        "SELECT count(*) FROM turn_log WHERE began_at > ?1 AND (?2 IS NULL OR peer = ?2)");
    row.bind(to_micros(since), peer);
    return row.step() ? static_cast<int>(row.integer(0)) : 0;
  });
}

std::int64_t HandlerTurns::cost_since(WallTime since) {
  return database_.use([&](sqlite::Database& db) {
    sqlite::Statement row =
        db.prepare("SELECT coalesce(sum(cost), 0) FROM turn_log WHERE began_at > ?1");
    row.bind(to_micros(since));
    return row.step() ? row.integer(0) : 0;
  });
}

std::optional<WallTime> HandlerTurns::first_turn_since(WallTime since) {
  return database_.use([&](sqlite::Database& db) -> std::optional<WallTime> {
    sqlite::Statement row =
        db.prepare("SELECT coalesce(min(began_at), 0) FROM turn_log WHERE began_at > ?1");
    row.bind(to_micros(since));
    return row.step() ? optional_time(row, 0) : std::nullopt;
  });
}

HandlerTurns::Pair HandlerTurns::pair(std::string_view peer) {
  return database_.use([&](sqlite::Database& db) {
    Pair pair;
    sqlite::Statement row =
        db.prepare("SELECT automatic, paused_at, changed_at FROM pairs WHERE peer = ?1");
    row.bind(peer);
    if (row.step()) {
      pair.automatic = static_cast<int>(row.integer(0));
      pair.paused_at = optional_time(row, 1);
      pair.changed_at = optional_time(row, 2);
    }
    sqlite::Statement task = db.prepare(
        "SELECT coalesce(max(sent_at), 0) FROM tasks WHERE peer_id = ?1 AND conversation = ''");
    task.bind(peer);
    if (task.step()) pair.last_task = optional_time(task, 0);
    return pair;
  });
}

void HandlerTurns::keep_pair(std::string_view peer, int automatic,
                             std::optional<WallTime> paused_at) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT OR REPLACE INTO pairs(peer, automatic, paused_at, changed_at)"
          " VALUES(?1, ?2, ?3, ?4)")
        .bind(peer, automatic, paused_at ? to_micros(*paused_at) : 0, to_micros(clock_.wall()))
        .run();
  });
}

void HandlerTurns::forget_pairs() {
  database_.use([](sqlite::Database& db) { db.prepare("DELETE FROM pairs").run(); });
}

void HandlerTurns::started(const Process& process) {
  database_.use([&](sqlite::Database& db) {
    db.prepare(
          "INSERT OR REPLACE INTO handlers(process, started, mark, session) VALUES(?1, ?2, ?3, ?4)")
        .bind(process.process, process.started, process.mark, sessions_.self())
        .run();
  });
}

void HandlerTurns::ended(std::int64_t process) {
  database_.use([process](sqlite::Database& db) {
    db.prepare("DELETE FROM handlers WHERE process = ?1").bind(process).run();
  });
}

std::vector<HandlerTurns::Process> HandlerTurns::take_orphans() {
  return database_.use([this](sqlite::Database& db) {
    std::vector<Process> orphans;
    sqlite::Statement row = db.prepare("SELECT process, started, mark, session FROM handlers");
    while (row.step()) {
      if (sessions_.alive(row.integer(3))) continue;
      orphans.push_back(
          {.process = row.integer(0), .started = row.string(1), .mark = row.string(2)});
    }
    for (const Process& one : orphans) {
      db.prepare("DELETE FROM handlers WHERE process = ?1").bind(one.process).run();
    }
    return orphans;
  });
}

}  // namespace molecule::workspace
