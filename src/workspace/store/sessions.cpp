#include "workspace/store/sessions.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/random.hpp"

namespace molecule::workspace {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

/// Its holder owns the workspace while the inbox cannot be used.
constexpr std::int64_t substitute_byte = 1;
/// The same among sessions that serve in part. `Files` uses byte 2.
constexpr std::int64_t substitute_in_part_byte = 3;
/// Sessions use the bytes from here on. The numbers are below 2^53, so that any JSON reader keeps
/// them exact.
constexpr Sessions::Id first_session = 1 << 20;
constexpr Sessions::Id first_in_part = first_session + (Sessions::Id{1} << 52);
constexpr double sessions_range = std::int64_t{1} << 51;

bool serves_in_part(Sessions::Id session) {
  return session >= first_in_part;
}

}  // namespace

Sessions::Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing)
    : clock_(clock), timing_(timing), file_(state_folder / "sessions.lock") {}

Sessions::Sessions(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing,
                   LockFile::ReadOnly read_only)
    : clock_(clock), timing_(timing), file_(state_folder / "sessions.lock", read_only) {}

Sessions::Id Sessions::self() {
  if (self_ == 0) {
    self_ = (in_part_ ? first_in_part : first_session) +
            static_cast<Id>(random_unit() * sessions_range);
  }
  // Fails only if the file cannot be created (a full disk): until then others consider this session
  // dead.
  if (!locked_ && !guest_) locked_ = file_.lock(self_);
  return self_;
}

bool Sessions::join(Id host) {
  guest_ = host >= first_session && file_.locked_elsewhere(host);
  if (guest_) self_ = host;
  return guest_;
}

void Sessions::leave() {
  if (std::exchange(locked_, false)) file_.unlock(self_);
  shown_.reset();
}

bool Sessions::others() {
  return file_.any_locked_elsewhere(first_session);
}

bool Sessions::alive(Id session) {
  const bool own = self_ != 0 && session == self_ && !guest_;
  // Without the file nothing is known about the others, so none counts as dead.
  return own || !file_.usable() || file_.locked_elsewhere(session);
}

std::optional<LockFile::Note> Sessions::life() {
  std::optional<LockFile::Note> last = file_.note();
  if (last) last->when = std::max(last->when, file_.highest_shown());
  return last;
}

bool Sessions::active(Id session) {
  if (!alive(session)) return false;
  const std::optional<LockFile::Note> last = life();
  if (!last) return false;
  const std::int64_t age = now() - last->when;
  return age >= 0 && age < microseconds(timing_.owner_liveness).count();
}

bool Sessions::precedes(Id session) {
  return session != self() && (in_part_ || !serves_in_part(session)) && active(session);
}

Clock::duration Sessions::next_check() {
  if (recently_alive()) return timing_.owner_check;
  const std::optional<LockFile::Note> last = life();
  if (!last || last->who == self()) return timing_.owner_check;
  const microseconds left = timing_.owner_liveness - microseconds(now() - last->when);
  return left > microseconds(0) ? std::min<Clock::duration>(left, timing_.owner_check)
                                : timing_.owner_check;
}

void Sessions::show_life() {
  const std::int64_t time = now();
  const std::optional<LockFile::Note> last = file_.note();
  const bool noted = last && last->who == self();
  // Others take the later one of the two.
  if (!file_.show(time) || !noted) file_.write_note({.who = self(), .when = time});
  shown_ = time;
}

bool Sessions::recently_alive() const {
  if (!shown_) return false;
  const std::int64_t age = now() - *shown_;
  return age >= 0 && age < microseconds(timing_.owner_liveness).count();
}

bool Sessions::still_owner() {
  if (in_part_ || !locked_ || !recently_alive()) return false;
  // Most calls come soon after another.
  if (now() - *shown_ < microseconds(timing_.owner_check).count() / 2) return true;
  const std::optional<LockFile::Note> last = file_.note();
  if (!last || last->who != self()) return false;
  const std::int64_t before = *shown_;
  show_life();
  // A process that was stopped in between may be too late.
  if (now() - before < microseconds(timing_.owner_liveness).count()) return true;
  shown_.reset();
  return false;
}

bool Sessions::own_without_inbox() {
  const std::optional<LockFile::Note> last = file_.note();
  if (last && precedes(last->who)) return false;
  const std::int64_t byte = in_part_ ? substitute_in_part_byte : substitute_byte;
  if (!holds_substitute_) holds_substitute_ = file_.lock(byte);
  const bool owner = holds_substitute_ || !file_.locked_elsewhere(byte);
  if (owner) show_life();
  return owner;
}

void Sessions::end_own_without_inbox() {
  const std::int64_t byte = in_part_ ? substitute_in_part_byte : substitute_byte;
  if (std::exchange(holds_substitute_, false)) file_.unlock(byte);
}

void Sessions::begin_wait() {
  if (++waits_ == 1) file_.share(waiting_byte);
}

void Sessions::end_wait() noexcept {
  if (--waits_ == 0) file_.unlock(waiting_byte);
}

std::int64_t Sessions::now() const {
  return duration_cast<microseconds>(clock_.now().time_since_epoch()).count();
}

}  // namespace molecule::workspace
