#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/async/tasks.hpp"
#include "platform/client.hpp"
#include "support/run.hpp"
#include "support/scripted_platform.hpp"
#include "support/temporary_folder.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/support.hpp"

namespace molecule::test {

/// A scripted platform and a client of it.
struct Fixture : ScriptedPlatform {
  workspace::Credentials credentials{
      {environment_of({{"MOLECULE_WORKSPACE_TOKEN_FILE", (folder.path() / "token").string()}})},
      folder.path()};
  platform::Client client{
      http, {server.url(), self_id, ""}, [this] { return credentials.token(); }};
  std::string failure;
  TaskGroup tasks{loop.get_executor(), clock,
                  [this](std::string_view task, std::exception_ptr) { failure = task; }};

  Fixture() { set_token("first-token"); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { end_tasks(); }

  /// For destructors of the owners of what the tasks use.
  void end_tasks() {
    tasks.cancel_all();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (tasks.size() > 0 && loop.run_one_until(until) != 0) {
    }
  }

  void set_token(const std::string& token) {
    std::ofstream(folder.path() / "token") << token;
    if (credentials.token().empty()) (void)credentials.reload().ok();
  }

  /// Runs the loop and advances time from timer to timer until `ready`. A task that waits for the
  /// server has no timer of the virtual clock: then the loop waits.
  template <class Ready>
  void until(Ready ready) {
    const auto deadline = std::chrono::steady_clock::now() + max_wait;
    while (!ready()) {
      if (!failure.empty()) throw std::runtime_error("a task failed: " + failure);
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it never came");
      loop.restart();
      if (loop.poll() > 0) continue;
      if (clock.next() != Clock::time_point::max()) {
        clock.advance(clock.next() - clock.now());
      } else {
        loop.run_one_for(std::chrono::milliseconds(100));
      }
    }
  }

  std::size_t count(std::string_view call) const { return server.requests(call).size(); }
  /// Runs until this many requests of that kind arrived and were handled: the task sleeps again.
  void until_count(std::string_view call, std::size_t wanted) {
    until([&] { return count(call) >= wanted && clock.next() != Clock::time_point::max(); });
  }
};

/// Captures stderr while it exists.
class Stderr {
 public:
  Stderr() : kept_(::dup(STDERR_FILENO)) {
    const int file = ::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;
  ~Stderr() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// How often `word` occurs.
  int said(std::string_view word) const {
    const std::string all = text();
    int times = 0;
    for (std::size_t at = all.find(word); at != std::string::npos; at = all.find(word, at + 1)) {
      ++times;
    }
    return times;
  }

 private:
  std::filesystem::path path() const { return folder_.path() / "stderr"; }
  TemporaryFolder folder_;
  int kept_;
};

}  // namespace molecule::test
