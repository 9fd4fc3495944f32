#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "support/run.hpp"
#include "support/scripted_platform.hpp"
#include "tools/tools.hpp"

namespace molecule::test {

inline const workspace::Timing timing;
inline const std::string own = "11111111-1111-4111-8111-11111111111a";
inline const std::string peer = "22222222-2222-4222-8222-22222222222b";
inline const std::string own_path = "/workspaces/" + own;
inline const std::string send_call = "POST /workspaces/" + peer + "/a2a";
inline const std::string token = "tok-0123456789abcdef";

/// A call as a session would hand it to a handler.
class FakeCall : public mcp::Call {
 public:
  explicit FakeCall(std::string_view arguments) {
    if (!document_.parse(arguments).ok()) throw std::logic_error("the test's JSON is wrong");
  }
  json::Value arguments() const override { return document_.root(); }
  std::optional<std::string_view> meta(std::string_view) const override { return std::nullopt; }
  void progress(double value, std::optional<double> total, std::string_view) override {
    progressed.push_back(value);
    last_total = total;
  }
  void log(mcp::LogLevel, std::string_view, std::string_view) override {}
  bool host_can(std::string_view) const override { return false; }
  json::Value input(std::string_view) const override { return {}; }
  std::string_view state() const override { return {}; }
  bool cancelled() const override { return is_cancelled; }
  bool is_cancelled = false;
  std::vector<double> progressed;
  std::optional<double> last_total;

 private:
  json::Document document_;
};

/// Everything that the tools work with, on one loop with virtual time and a scripted platform.
class Fixture : public ScriptedPlatform {
 public:
  explicit Fixture(bool with_inbox = true, const std::vector<std::string>& others = {}) {
    config.workspaces = {workspace_config(own)};
    for (const std::string& id : others) config.workspaces.push_back(workspace_config(id));
    config.inbox = with_inbox;
    workspaces = std::make_unique<workspace::Workspaces>(config, loop.get_executor(), http, clock);
    services =
        std::make_unique<tools::Services>(tools::Services{clock, config, *workspaces, tasks});
    tools = tools::make_tools(*services);
    server.answer("POST " + own_path + "/activity", 200, R"({"status":"logged"})");
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    try {
      tasks.cancel_all();
      run(loop, tasks.join());
    } catch (const std::exception& error) {
      MESSAGE(error.what());
    }
  }

  const mcp::Tool& tool(std::string_view name) const {
    const auto found = std::ranges::find(tools, name, &mcp::Tool::name);
    if (found == tools.end()) throw std::logic_error("no such tool");
    return *found;
  }

  /// Calls a tool. Whenever the loop is idle, time jumps to the next timer within `step`, so that
  /// pauses cost nothing and later timers (a ticker) do not fire.
  mcp::ToolResult call(std::string_view name, FakeCall& call,
                       Clock::duration step = std::chrono::seconds(11)) {
    std::optional<mcp::ToolResult> result;
    std::exception_ptr failure;
    bool ended = false;
    asio::co_spawn(loop, keep_result(tool(name).handler(call), result),
                   [&](std::exception_ptr error) {
                     failure = error;
                     ended = true;
                   });
    const auto until = std::chrono::steady_clock::now() + max_wait;
    while (!ended) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the call hangs");
      if (loop.stopped()) loop.restart();
      if (loop.run_one_for(std::chrono::milliseconds(1)) > 0) continue;
      const auto next = clock.next() - clock.now();
      if (next <= step) clock.advance(std::max(next, Clock::duration::zero()));
    }
    if (failure) std::rethrow_exception(failure);
    CHECK(result->text.find(token) == std::string::npos);
    CHECK_FALSE(result->text.empty());
    return *result;
  }
  mcp::ToolResult call(std::string_view name, std::string_view arguments = "{}") {
    FakeCall fake(arguments);
    return call(name, fake);
  }
  workspace::Inbox& inbox() { return workspaces->first().inbox; }
  /// Lets the tasks beside the calls end.
  void settle() { run(loop, tasks.join()); }

 private:
  workspace::WorkspaceConfig workspace_config(const std::string& id) const {
    workspace::WorkspaceConfig one;
    one.id = id;
    one.platform_url = server.url();
    one.agent_card = "{}";
    one.token.environment = [](std::string_view name) {
      return name == "MOLECULE_WORKSPACE_TOKEN" ? std::optional<std::string>(token) : std::nullopt;
    };
    one.state_folder = id == own ? folder.path() : folder.path() / id;
    std::filesystem::create_directories(one.state_folder);
    return one;
  }

 public:
  std::vector<std::string> failures;
  workspace::Config config;
  std::unique_ptr<workspace::Workspaces> workspaces;
  TaskGroup tasks{loop.get_executor(), clock, [this](std::string_view task, std::exception_ptr) {
                    failures.emplace_back(task);
                  }};
  std::unique_ptr<tools::Services> services;
  std::vector<mcp::Tool> tools;
};

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline json::Document parsed(std::string_view text) {
  json::Document document;
  REQUIRE(document.parse(text).ok());
  return document;
}

}  // namespace molecule::test
