#include "base/async/step_proof_clock.hpp"

#include "base/log.hpp"

namespace molecule {

namespace {

constexpr std::chrono::seconds tolerance{2};
constexpr std::chrono::minutes patience{10};

}  // namespace

StepProofClock::StepProofClock(Clock& source) : source_(source) {
  believe(source.wall(), elapsed());
}

void StepProofClock::believe(std::chrono::system_clock::time_point wall, duration at) const {
  base_ = wall;
  base_at_ = at;
  doubting_ = false;
}

std::chrono::system_clock::time_point StepProofClock::wall() const {
  const duration at = elapsed();
  const auto expected =
      base_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - base_at_);
  const auto shown = source_.wall();
  const auto step = shown - expected;
  if (step <= tolerance && step >= -tolerance) {
    believe(shown, at);
    return shown;
  }
  if (!doubting_) {
    doubting_ = true;
    doubting_since_ = at;
    log::warning("the clock of this machine was set by {} s: not followed unless that lasts",
                 std::chrono::duration_cast<std::chrono::seconds>(step).count());
  }
  if (at - doubting_since_ < patience) return expected;
  log::warning("the clock of this machine stays as it was set: now followed");
  believe(shown, at);
  return shown;
}

}  // namespace molecule
