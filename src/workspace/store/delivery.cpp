#include "workspace/store/delivery.hpp"

#include <array>
#include <cstddef>

namespace molecule::workspace::delivery {

namespace {

constexpr std::size_t events = 4;
constexpr std::size_t states = 8;

constexpr auto none = Step::nothing;
constexpr auto push = Step::announce;
constexpr auto give = Step::give;
constexpr auto keep = Step::keep;
constexpr auto deny = Step::refuse;

/// A row a state, a column an event.
constexpr std::array<std::array<Step, events>, states> steps{{
    // wait  push  peek  act
    {give, push, give, give},  // free
    {give, push, give, give},  // own_answer
    {give, none, give, give},  // announced_here
    {none, none, none, give},  // announced_elsewhere
    {none, none, keep, keep},  // open_here
    {give, none, give, give},  // due_here
    {none, none, none, deny},  // held_elsewhere
    {none, none, none, deny},  // reserved_elsewhere
}};

}  // namespace

State state_of(const Record& record, const Viewer& viewer) {
  const Time now = viewer.now;
  const bool held = record.holder != 0 && now - record.leased_at < viewer.limits.lease;
  if (held && record.holder != viewer.self) return State::held_elsewhere;
  if (held) {
    return now - record.given_at < viewer.limits.lease ? State::open_here : State::due_here;
  }
  if (record.asked_by != 0 && record.asked_by != viewer.self) return State::reserved_elsewhere;
  const bool announced =
      record.announced_to != 0 && now - record.announced_at < viewer.limits.announcement;
  if (announced && record.announced_to == viewer.self) return State::announced_here;
  // No session but the one that asked is pushed an answer; another one may have been before.
  if (record.asked_by == viewer.self && record.asked_by != 0) return State::own_answer;
  return announced ? State::announced_elsewhere : State::free;
}

Step next(State state, Event event, bool another_waits) {
  const bool unasked = event == Event::push || event == Event::peek;
  if (state == State::free && unasked && another_waits) return Step::nothing;
  return steps.at(static_cast<std::size_t>(state)).at(static_cast<std::size_t>(event));
}

Record after(Record record, Step step, const Viewer& viewer) {
  if (step == Step::announce) {
    record.announced_to = viewer.self;
    record.announced_at = viewer.now;
  } else if (step == Step::give) {
    record.holder = viewer.self;
    record.given_at = viewer.now;
    record.leased_at = viewer.now;
    record.announced_to = 0;
    record.announced_at = 0;
  } else if (step == Step::keep) {
    record.leased_at = viewer.now;
  }
  return record;
}

}  // namespace molecule::workspace::delivery
