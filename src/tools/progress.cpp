#include "tools/progress.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace molecule::tools {

namespace {

awaitable<void> tick(Services& services, std::shared_ptr<mcp::Call*> call, std::string message) {
  const Clock::time_point start = services.clock.now();
  while (true) {
    co_await sleep_for(services.clock, services.config.timing.progress);
    if (*call == nullptr) co_return;
    const std::chrono::duration<double> elapsed = services.clock.now() - start;
    (*call)->progress(elapsed.count(), std::nullopt, message);
  }
}

}  // namespace

Progress::Progress(Services& services, mcp::Call& call, std::string message)
    : tasks_(services.tasks),
      call_(std::make_shared<mcp::Call*>(&call)),
      task_(tasks_.spawn("progress", tick(services, call_, std::move(message)))) {}

Progress::~Progress() {
  *call_ = nullptr;
  tasks_.cancel(task_);
}

}  // namespace molecule::tools
