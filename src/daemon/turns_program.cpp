// Turns: how a handler is run.

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <utility>

#include "base/child/spawn.hpp"
#include "base/files/files.hpp"
#include "base/log.hpp"
#include "base/uuid.hpp"
#include "daemon/handler_environment.hpp"
#include "daemon/runners/webhook.hpp"
#include "daemon/turns.hpp"

namespace molecule::daemon {

namespace {

constexpr std::chrono::seconds progress_interval{10};

/// A task until the end of a scope.
class Meanwhile {
 public:
  Meanwhile(TaskGroup& tasks, std::string_view name, awaitable<void> task)
      : tasks_(tasks), id_(tasks.spawn(name, std::move(task))) {}
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;
  ~Meanwhile() { tasks_.cancel(id_); }

 private:
  TaskGroup& tasks_;
  TaskGroup::Id id_;
};

/// The turn's files until the end of a scope, private to this user.
class TurnFiles {
 public:
  explicit TurnFiles(std::vector<Invocation::File> files) : files_(std::move(files)) {}
  TurnFiles(const TurnFiles&) = delete;
  TurnFiles& operator=(const TurnFiles&) = delete;
  ~TurnFiles() {
    for (const Invocation::File& file : files_) {
      if (!file.shared) ::unlink(file.path.c_str());
    }
  }

  Result<void, files::Error> write() {
    for (const Invocation::File& file : files_) {
      if (file.shared) {
        if (auto made = files::make_private_folder(file.path.parent_path()); !made) return made;
        if (const auto present = files::read(file.path); present && *present == file.content)
          continue;
      }
      if (auto written = files::replace(file.path, file.content); !written) return written;
    }
    return {};
  }

 private:
  std::vector<Invocation::File> files_;
};

/// What runs, in the inbox, so that the next start ends it if this process cannot.
class Recorded {
 public:
  Recorded(workspace::HandlerTurns& turns, pid_t process, std::string mark)
      : turns_(turns), process_(process) {
    turns_.started({.process = process, .started = start_time(process), .mark = std::move(mark)});
  }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;
  ~Recorded() {
    try {
      turns_.ended(process_);
    } catch (const workspace::StoreError& error) {
      // The next start looks for it and finds nothing.
      log::debug("inbox: {}", error.what());
    }
  }

 private:
  workspace::HandlerTurns& turns_;
  std::int64_t process_;
};

TurnResult not_run(std::string reason) {
  TurnResult result;
  result.reason = std::move(reason);
  return result;
}

}  // namespace

/// Keeps the leases, and says how far the runner is if there is one.
awaitable<void> Turns::keep_busy(workspace::Workspace& workspace,
                                 workspace::Workload::Task& working, std::string what,
                                 std::shared_ptr<Runner> runner) {
  std::string last;
  while (true) {
    co_await sleep_for(services_.clock, progress_interval);
    workspace.inbox.leases.renew_quietly();
    if (!runner) continue;
    const std::string progress = runner->progress();
    if (progress == last) continue;
    last = progress;
    working.describe(fmt::format("{}: {}", what, progress));
    log::info("{}: {}", what, progress);
  }
}

awaitable<TurnResult> Turns::run_program(std::shared_ptr<Job> job, std::shared_ptr<Turn> turn,
                                         workspace::Workload::Task& working) {
  workspace::Workspace& workspace = *job->workspace;
  const HandlerSettings& settings = turn->settings;
  std::filesystem::path& folder = turn->settings.working_directory;
  TurnResult result;
  const std::filesystem::path own_folder = workspace.config().state_folder / "work";
  if (folder.empty()) {
    folder = own_folder;
    if (const auto made = files::make_private_folder(folder); !made) {
      result = not_run(made.error().message);
      co_return result;
    }
  }
  turn->own_folder = folder == own_folder;
  turn->new_session = random_uuid();
  turn->server.reset();
  if (settings.tools && settings.kind != Kind::command) {
    turn->server = mcp_server(services_.config, workspace, turn->incoming);
  }
  turn->policy_file =
      workspace.config().state_folder / fmt::format("handler-{}.toml", turn->new_session);
  const std::shared_ptr<Runner> runner = make_runner(settings.kind);
  Invocation invocation = runner->prepare(*turn);
  TurnFiles turn_files(std::move(invocation.files));
  if (const auto written = turn_files.write(); !written) {
    result = not_run(written.error().message);
    co_return result;
  }
  const std::string mark = "MOLECULE_TURN=" + random_uuid();
  ChildCommand command;
  command.argv = std::move(invocation.argv);
  command.environment = inherited_environment({workspace.credentials.token()});
  for (const auto& list : {message_environment(turn->incoming), invocation.environment}) {
    for (const auto& [name, value] : list) command.environment.push_back(name + "=" + value);
  }
  command.environment.push_back(mark);
  command.working_directory = folder;
  command.input = std::move(invocation.input);
  command.deadline = settings.deadline;
  auto recorded = std::make_shared<std::optional<Recorded>>();
  const auto started = [recorded, &workspace, mark](pid_t process) {
    try {
      recorded->emplace(workspace.inbox.turns, process, mark);
    } catch (const workspace::StoreError& error) {
      log::warning("inbox: a handler's process is not recorded: {}", error.what());
    }
  };
  const auto take = [runner](std::string_view piece) { return runner->take(piece); };
  const auto hear = [runner](std::string_view piece) { runner->hear_errors(piece); };
  std::string what = fmt::format("{} for {}", name_of(settings.kind), job->conversation);
  const Meanwhile busy(services_.tasks, "turn",
                       keep_busy(workspace, working, std::move(what), runner));
  auto end = co_await services_.children.run(std::move(command), take, started, hear);
  recorded->reset();
  result = runner->finish(*turn, end);
  co_return result;
}

awaitable<TurnResult> Turns::run_webhook(std::shared_ptr<Job> job, std::shared_ptr<Turn> turn,
                                         workspace::Workload::Task& working) {
  const Meanwhile busy(services_.tasks, "turn", keep_busy(*job->workspace, working, {}, nullptr));
  TurnResult result = co_await call_webhook(services_.http, turn);
  co_return result;
}

}  // namespace molecule::daemon
