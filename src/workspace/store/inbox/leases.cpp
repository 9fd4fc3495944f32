#include "workspace/store/inbox/leases.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

namespace {

using delivery::Event;
using delivery::State;
using delivery::Step;
using std::chrono::microseconds;

/// Of more, an agent needs not be told that another session has them.
constexpr std::size_t max_known = 1000;
/// Enough characters for a line.
constexpr std::size_t max_open_text = 400;

struct Found {
  std::int64_t seq;
  delivery::Record record;
};

std::optional<Found> find_record(sqlite::Database& db, std::string_view activity_id) {
  sqlite::Statement row = db.prepare(std::string(select_records) + "WHERE m.activity_id = ?1");
  row.bind(activity_id);
  if (!row.step()) return std::nullopt;
  return Found{.seq = row.integer(0), .record = read_record(row, 1)};
}

Message message_of(sqlite::Database& db, std::int64_t seq) {
  sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE m.seq = ?1");
  row.bind(seq);
  return row.step() ? read_message(row) : Message();
}

void write_lease(sqlite::Database& db, std::int64_t seq, const delivery::Record& record) {
  db.prepare(
        "INSERT OR REPLACE INTO leases(seq, session, given_at, leased_at) VALUES(?1, ?2, ?3, ?4)")
      .bind(seq, record.holder, record.given_at, record.leased_at)
      .run();
  db.prepare("DELETE FROM announcements WHERE seq = ?1").bind(seq).run();
}

/// The sessions that a table names.
std::vector<Sessions::Id> sessions_in(sqlite::Database& db, const std::string& table) {
  sqlite::Statement row =
      db.prepare("SELECT DISTINCT session FROM " + table + " WHERE session != 0");
  std::vector<Sessions::Id> sessions;
  while (row.step()) sessions.push_back(row.integer(0));
  return sessions;
}

/// Deletes the rows of which `column` is older; true if there were any. Looks first, so that
/// nothing is written if there are none.
bool delete_older(sqlite::Database& db, const std::string& table, const std::string& column,
                  std::int64_t oldest) {
  const std::string old = " FROM " + table + " WHERE " + column + " <= ?1";
  sqlite::Statement any = db.prepare("SELECT 1" + old + " LIMIT 1");
  any.bind(oldest);
  if (!any.step()) return false;
  db.prepare("DELETE" + old).bind(oldest).run();
  return true;
}

}  // namespace

delivery::Viewer Leases::viewer() {
  return {.self = sessions_.self(),
          .now = sessions_.now(),
          .limits = {.lease = microseconds(timing_.lease).count(),
                     .announcement = microseconds(timing_.announcement).count()}};
}

State Leases::state_of(const delivery::Record& record) {
  const auto alive = [this](Sessions::Id session) { return sessions_.alive(session); };
  return delivery::state_of(delivery::without_ended(record, alive), viewer());
}

/// A guest works on what its host was given; the host hands out the rest. Answers to its own tasks
/// come to it, too.
Step Leases::step(State state, Event event, bool another_waits) const {
  const Step step = delivery::next(state, event, another_waits);
  const bool given = event != Event::act && step == Step::give && state != State::own_answer;
  return sessions_.guest() && given ? Step::nothing : step;
}

bool Leases::elsewhere(const delivery::Record& record) {
  return refused(record) || state_of(record) == State::announced_elsewhere;
}

bool Leases::refused(const delivery::Record& record) {
  return delivery::next(state_of(record), Event::act, false) == Step::refuse;
}

void Leases::remember(std::int64_t seq, std::string_view activity_id) {
  if (known_.size() < max_known) known_.emplace(seq, activity_id);
}

std::optional<Message> Leases::next() {
  return database_.use([this](sqlite::Database& db) -> std::optional<Message> {
    sqlite::Statement row = db.prepare(std::string(select_records) + by_urgency);
    while (row.step()) {
      const State state = state_of(read_record(row, 1));
      if (step(state, Event::wait, false) != Step::give) continue;
      return message_of(db, row.integer(0));
    }
    return std::nullopt;
  });
}

bool Leases::lease(std::string_view activity_id, Event event) {
  return database_.use([this, activity_id, event](sqlite::Database& db) {
    std::optional<Found> found = find_record(db, activity_id);
    const auto step_of = [this, event](const Found& one) {
      return delivery::next(state_of(one.record), event, false);
    };
    if (!found) return false;
    // A lease in use is renewed seldom, so that work seldom writes.
    const bool fresh =
        sessions_.now() - found->record.leased_at < microseconds(timing_.lease_renewal).count();
    if (fresh && step_of(*found) == Step::keep) return true;
    sqlite::Transaction transaction(db);
    found = find_record(db, activity_id);
    const Step step = found ? step_of(*found) : Step::refuse;
    if (step != Step::give && step != Step::keep) return false;
    write_lease(db, found->seq, delivery::after(found->record, step, viewer()));
    renew();
    transaction.commit();
    remember(found->seq, activity_id);
    return true;
  });
}

std::vector<Message> Leases::available(std::size_t limit) {
  return database_.use([this, limit](sqlite::Database& db) {
    const bool waited = sessions_.another_waits();
    std::vector<Message> messages;
    sqlite::Statement row = db.prepare(std::string(select_records) + "ORDER BY m.seq");
    while (messages.size() < limit && row.step()) {
      const Step next = step(state_of(read_record(row, 1)), Event::peek, waited);
      if (next == Step::give || next == Step::keep) {
        messages.push_back(message_of(db, row.integer(0)));
      }
    }
    return messages;
  });
}

void Leases::show(const std::vector<std::string>& activity_ids) {
  database_.use([this, &activity_ids](sqlite::Database& db) {
    const bool waited = sessions_.another_waits();
    const auto given = [this, &db, waited](const std::string& activity_id) {
      std::optional<Found> found = find_record(db, activity_id);
      const Step next = found ? step(state_of(found->record), Event::peek, waited) : Step::nothing;
      if (next != Step::give) found.reset();
      return found;
    };
    const bool any = std::ranges::any_of(
        activity_ids, [&given](const std::string& id) { return given(id).has_value(); });
    if (!any) return;
    sqlite::Transaction transaction(db);
    std::vector<std::pair<std::int64_t, std::string>> taken;
    for (const std::string& activity_id : activity_ids) {
      const auto found = given(activity_id);
      if (!found) continue;
      write_lease(db, found->seq, delivery::after(found->record, Step::give, viewer()));
      taken.emplace_back(found->seq, activity_id);
    }
    renew();
    transaction.commit();
    for (const auto& [seq, activity_id] : taken) remember(seq, activity_id);
  });
}

/// True the first time, and until `Timing::push_hold` has passed.
bool Leases::held_back(std::int64_t seq) {
  const std::int64_t now = sessions_.now();
  const auto since = held_since_.try_emplace(seq, now).first->second;
  return now - since < microseconds(timing_.push_hold).count();
}

/// What may be pushed. Also forgets what is gone.
std::vector<std::int64_t> Leases::choose_announced(sqlite::Database& db) {
  const bool another_waits = sessions_.another_waits();
  std::unordered_set<std::int64_t> waiting;
  std::unordered_map<std::int64_t, std::int64_t> still_held;
  std::vector<std::int64_t> fresh;
  sqlite::Statement row = db.prepare(std::string(select_records) + "ORDER BY m.seq");
  while (row.step()) {
    const std::int64_t seq = row.integer(0);
    const State state = state_of(read_record(row, 1));
    if (announced_.contains(seq)) {
      // What another session has had is news again when it comes back.
      if (state != State::held_elsewhere) waiting.insert(seq);
      continue;
    }
    if (delivery::next(state, Event::push, false) != Step::announce) continue;
    const bool waited =
        sessions_.waits() || delivery::next(state, Event::push, another_waits) != Step::announce;
    if (waited && held_back(seq)) {
      still_held.emplace(seq, held_since_.at(seq));
    } else {
      fresh.push_back(seq);
    }
  }
  announced_ = std::move(waiting);
  held_since_ = std::move(still_held);
  return fresh;
}

Leases::Announced Leases::announce(std::size_t max_unanswered) {
  return database_.use([this, max_unanswered](sqlite::Database& db) {
    std::vector<std::int64_t> fresh = choose_announced(db);
    const std::size_t room = max_unanswered - std::min(max_unanswered, announced_.size());
    Announced announced{.messages = {},
                        .held_back = !held_since_.empty(),
                        .more = fresh.size() - std::min(fresh.size(), room)};
    fresh.resize(fresh.size() - announced.more);
    if (fresh.empty()) return announced;
    sqlite::Transaction transaction(db);
    const delivery::Viewer self = viewer();
    std::vector<std::int64_t> pushed;
    for (const std::int64_t seq : fresh) {
      sqlite::Statement row = db.prepare(std::string(select_messages) + "WHERE m.seq = ?1");
      row.bind(seq);
      if (!row.step()) continue;
      const State state = state_of(read_record(row));
      if (delivery::next(state, Event::push, false) != Step::announce) continue;
      announced.messages.push_back(read_message(row));
      db.prepare(
            "INSERT OR REPLACE INTO announcements(seq, session, announced_at)"
            " VALUES(?1, ?2, ?3)")
          .bind(seq, self.self, self.now)
          .run();
      pushed.push_back(seq);
    }
    transaction.commit();
    for (std::size_t i = 0; i < pushed.size(); ++i) {
      announced_.insert(pushed[i]);
      remember(pushed[i], announced.messages[i].activity_id);
    }
    return announced;
  });
}

Leases::Open Leases::open(std::size_t limit) {
  return database_.use([this, limit](sqlite::Database& db) {
    sqlite::Statement row = db.prepare(
        "SELECT m.activity_id, m.kind, m.peer_id, m.peer_name, substr(m.text, 1, ?3)"
        " FROM message_view m JOIN leases l ON l.seq = m.seq"
        " WHERE l.session = ?1 AND l.leased_at > ?2 ORDER BY m.seq");
    const delivery::Viewer self = viewer();
    row.bind(self.self, self.now - self.limits.lease, static_cast<std::int64_t>(max_open_text));
    Open open;
    while (row.step()) {
      if (open.messages.size() == limit) {
        ++open.more;
        continue;
      }
      Message message;
      message.activity_id = row.string(0);
      message.kind = row.string(1);
      message.peer_id = row.string(2);
      message.peer_name = row.string(3);
      message.text = row.string(4);
      open.messages.push_back(std::move(message));
    }
    return open;
  });
}

std::vector<std::string> Leases::lost() {
  std::vector<std::string> lost;
  if (known_.empty()) return lost;
  database_.use([this, &lost](sqlite::Database& db) {
    std::erase_if(known_, [this, &db, &lost](const auto& known) {
      sqlite::Statement row = db.prepare(std::string(select_records) + "WHERE m.seq = ?1");
      row.bind(known.first);
      if (row.step() && state_of(read_record(row, 1)) != State::held_elsewhere) return false;
      lost.push_back(known.second);
      return true;
    });
  });
  return lost;
}

void Leases::forget(std::string_view activity_id) {
  std::erase_if(known_, [activity_id](const auto& known) { return known.second == activity_id; });
}

void Leases::renew() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) {
    db.prepare("UPDATE leases SET leased_at = ?1 WHERE session = ?2")
        .bind(sessions_.now(), sessions_.self())
        .run();
  });
}

void Leases::renew_quietly() noexcept {
  try {
    renew();
  } catch (const StoreError& error) {
    log::debug("leases were not renewed: {}", error.what());
  }
}

bool Leases::free() {
  return database_.use([this](sqlite::Database& db) {
    bool freed = false;
    const auto end = [&](const std::string& table, const std::string& action) {
      for (const Sessions::Id session : sessions_in(db, table)) {
        if (sessions_.alive(session)) continue;
        db.prepare(action + " WHERE session = ?1").bind(session).run();
        freed = freed || db.changes() > 0;
      }
    };
    end("leases", "DELETE FROM leases");
    end("announcements", "DELETE FROM announcements");
    end("tasks", "UPDATE tasks SET session = 0");
    // A time in the future is either from before the machine's restart, and its session is dead, or
    // another session wrote it just now.
    const delivery::Viewer self = viewer();
    const bool leases = delete_older(db, "leases", "leased_at", self.now - self.limits.lease);
    const bool announcements =
        delete_older(db, "announcements", "announced_at", self.now - self.limits.announcement);
    return freed || leases || announcements;
  });
}

void Leases::release() {
  if (!database_.is_open()) return;
  database_.use([this](sqlite::Database& db) {
    const Sessions::Id self = sessions_.self();
    db.prepare("DELETE FROM leases WHERE session = ?1").bind(self).run();
    db.prepare("DELETE FROM announcements WHERE session = ?1").bind(self).run();
    db.prepare("UPDATE tasks SET session = 0 WHERE session = ?1").bind(self).run();
  });
}

}  // namespace molecule::workspace
