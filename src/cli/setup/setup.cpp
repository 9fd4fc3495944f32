#include "cli/setup/setup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/files/files.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "cli/commands/help.hpp"
#include "cli/install/install.hpp"
#include "cli/messages/input.hpp"
#include "cli/output/terminal.hpp"
#include "cli/session/choose.hpp"
#include "cli/session/session.hpp"
#include "cli/setup/ask.hpp"
#include "cli/setup/config_writer.hpp"
#include "workspace/config/credentials.hpp"
#include "workspace/config/state_folder.hpp"
#include "workspace/config/workspace_list.hpp"

namespace molecule::cli {

namespace {

using workspace::Environment;

constexpr std::size_t max_token_bytes = 65536;

/// What setup works out, step by step.
struct Plan {
  std::string url;
  std::string id;
  std::string token;
  std::string name;
  std::string description;
  /// The name of a workspace to create; empty: there is one.
  std::string create;
  std::string admin_token;
};

/// A secret from a file or, for `-`, from stdin.
Result<std::string, int> read_secret(std::string_view option, const std::string& path) {
  std::string secret;
  if (path == "-") {
    auto read = read_stdin(max_token_bytes);
    if (!read.ok()) return Failure{wrong_usage(fmt::format("{}: {}", option, read.error()))};
    secret = std::move(*read);
  } else {
    auto read = files::read(whole_path(path), max_token_bytes, files::Links::follow);
    if (!read.ok())
      return Failure{wrong_usage(fmt::format("{}: {}", option, read.error().message))};
    secret = std::move(*read);
  }
  std::string trimmed(text::trim(secret));
  const bool usable = !trimmed.empty() && trimmed.find_first_of(" \t\r\n") == std::string::npos;
  if (!usable) return Failure{wrong_usage(fmt::format("{}: it holds no token", option))};
  return trimmed;
}

/// Takes what the options say; what they lack is asked for or is a usage error.
class Questions {
 public:
  Questions(const Arguments& arguments, const Environment& environment)
      : arguments_(arguments),
        environment_(environment),
        asks_(can_ask() && !arguments.has("--no-input")) {}

  bool asks() const { return asks_; }

  Result<Plan, int> answer() {
    Plan plan;
    plan.name = arguments_.value("--name");
    plan.description = arguments_.value("--description");
    plan.create = arguments_.value("--create");
    if (int code = read_url(plan); code != exit_code::done) return Failure{code};
    if (asks_ && plan.create.empty() && given("--id", "WORKSPACE_ID").empty() &&
        ask_yes("Create a new workspace (this needs the platform's admin token)?")) {
      plan.create = ask("Its name").value_or("");
    }
    const int code = plan.create.empty() ? read_existing(plan) : read_admin(plan);
    if (code != exit_code::done) return Failure{code};
    return plan;
  }

 private:
  std::string given(std::string_view option, std::string_view variable) const {
    std::string here = arguments_.value(option);
    if (here.empty() && option == "--id") here = text::trim(arguments_.value("--workspace"));
    return here.empty() ? std::string(text::trim(environment_(variable).value_or(""))) : here;
  }

  static int missing(std::string_view option) {
    return wrong_usage(fmt::format("{} is needed: there is no terminal to ask on", option),
                       "`molecule-mcp help setup` has examples.");
  }

  int read_url(Plan& plan) {
    plan.url = given("--url", "PLATFORM_URL");
    if (plan.url.empty() && !asks_) return missing("--url");
    if (plan.url.empty()) {
      plan.url = ask("The platform's address", "http://127.0.0.1:8080").value_or("");
    }
    auto checked = workspace::check_platform_url(plan.url);
    if (!checked.ok()) return wrong_usage(fmt::format("--url is not usable: {}", checked.error()));
    plan.url = std::move(*checked);
    return exit_code::done;
  }

  int read_existing(Plan& plan) {
    plan.id = text::lower(given("--id", "WORKSPACE_ID"));
    if (plan.id.empty() && !asks_) return missing("--id (or --create)");
    if (plan.id.empty()) plan.id = text::lower(ask("The workspace's id").value_or(""));
    if (!is_uuid(plan.id)) {
      return wrong_usage("--id is not a UUID: copy the workspace's id from the canvas");
    }
    return read_token(plan.token, "--token-file", "MOLECULE_WORKSPACE_TOKEN",
                      "The workspace's token (canvas, Tokens tab)");
  }

  int read_admin(Plan& plan) {
    return read_token(plan.admin_token, "--admin-token-file", "ADMIN_TOKEN",
                      "The platform's admin token");
  }

  int read_token(std::string& token, std::string_view option, std::string_view variable,
                 std::string_view question) {
    const std::string file = arguments_.value(option);
    if (!file.empty()) {
      auto read = read_secret(option, file);
      if (!read.ok()) return read.error();
      token = std::move(*read);
      return exit_code::done;
    }
    token = text::trim(environment_(variable).value_or(""));
    if (token.empty() && !asks_) return missing(option);
    if (token.empty()) token = ask_secret(question).value_or("");
    return token.empty() ? wrong_usage("a token is needed") : exit_code::done;
  }

  const Arguments& arguments_;
  const Environment& environment_;
  bool asks_;
};

/// A loop for a single call, before there is a configuration.
class Caller {
 public:
  int run(awaitable<int> call) {
    tasks_.spawn("call", keep(std::move(call)));
    loop_.run();
    if (failure_) std::rethrow_exception(failure_);
    return code_;
  }
  net::HttpClient& http() { return http_; }

 private:
  awaitable<void> keep(awaitable<int> call) {
    auto code = co_await std::move(call);
    code_ = code;
  }

  asio::io_context loop_{1};
  SystemClock clock_;
  net::HttpClient http_{loop_.get_executor()};
  std::exception_ptr failure_;
  TaskGroup tasks_{loop_.get_executor(), clock_,
                   [this](std::string_view, std::exception_ptr error) {
                     failure_ = std::move(error);
                     loop_.stop();
                   }};
  int code_ = exit_code::failed;
};

awaitable<int> create(net::HttpClient& http, Plan& plan) {
  platform::Endpoint endpoint{.platform_url = plan.url, .workspace_id = {}, .org_id = {}};
  platform::Client admin(http, std::move(endpoint), [&plan] { return plan.admin_token; });
  auto made = co_await admin.create_workspace(plan.create);
  if (!made) co_return report("the workspace was not created", made.error());
  plan.id = made->id;
  plan.token = made->token;
  if (plan.name.empty()) plan.name = plan.create;
  say(fmt::format("Created workspace {} ({}).\n", plan.create, plan.id));
  co_return exit_code::done;
}

/// Whether the platform knows the workspace and takes the token, by calls that change nothing.
awaitable<int> check(net::HttpClient& http, Plan& plan) {
  platform::Endpoint endpoint{.platform_url = plan.url, .workspace_id = plan.id, .org_id = {}};
  platform::Client client(http, std::move(endpoint), [&plan] { return plan.token; });
  auto info = co_await client.workspace_info();
  if (!info) co_return report("the platform does not know this workspace", info.error());
  platform::ActivityQuery query;
  query.limit = 1;
  auto page = co_await client.activity(std::move(query));
  if (!page) co_return report("the platform does not take the token", page.error());
  say("The platform knows the workspace and takes the token.\n");
  co_return exit_code::done;
}

/// Whether the state folder and config.toml can be written.
Result<void, std::string> check_places(const Environment& environment) {
  const workspace::Reading reading = workspace::read_config(environment);
  if (!reading.knows_folders) return Failure{fmt::format("{}", fmt::join(reading.problems, "; "))};
  if (auto made = files::make_private_folder(reading.state_folder); !made.ok()) {
    return Failure{std::move(made.error().message)};
  }
  if (::access(reading.state_folder.c_str(), W_OK | X_OK) != 0) {
    return Failure{fmt::format("{} cannot be written to: {}", reading.state_folder.string(),
                               std::strerror(errno))};
  }
  return check_config(environment);
}

/// Where the token is to lie: in the state folder of the workspace, made if it is missing.
Result<std::filesystem::path, std::string> store_token(const Environment& environment,
                                                       const Plan& plan) {
  const workspace::Reading reading = workspace::read_config(environment);
  if (!reading.knows_folders) return Failure{fmt::format("{}", fmt::join(reading.problems, "; "))};
  const std::size_t others = reading.config.workspaces.size();
  const bool alone = others == 1 && (reading.config.workspaces.front().id.empty() ||
                                     reading.config.workspaces.front().id == plan.id);
  if (auto made = files::make_private_folder(reading.state_folder); !made.ok()) {
    return Failure{std::move(made.error().message)};
  }
  auto folder = workspace::take_state_folder(reading.state_folder, plan.id, !alone);
  if (!folder.ok()) return Failure{std::move(folder.error().message)};
  std::filesystem::path path = *folder / ".auth_token";
  if (plan.token.empty()) return path;
  if (auto written = files::replace(path, plan.token); !written.ok()) {
    return Failure{std::move(written.error().message)};
  }
  return path;
}

int install_for(const std::string& host, const Plan& plan) {
  Arguments arguments;
  arguments.add("HOST", host);
  arguments.add("--workspace", plan.id);
  if (host == "claude-code" || host == "codex" || host == "gemini") arguments.add("--hooks", "");
  return install(arguments);
}

int install_chosen(const Arguments& arguments, const Plan& plan, bool asks) {
  int worst = exit_code::done;
  std::vector<std::string> hosts = arguments.values("--install");
  if (hosts.empty() && asks) {
    const auto answer = ask(
        fmt::format("Add it to an agent host ({}; nothing: none)", fmt::join(host_names, ", ")));
    if (answer) hosts = text::split_list(*answer, ' ');
  }
  for (const std::string& host : hosts) {
    const bool known = std::ranges::find(host_names, std::string_view(host)) != host_names.end();
    const int code = known ? install_for(host, plan)
                           : wrong_usage(fmt::format("{} is no host that install knows",
                                                     text::sanitize_name(host)));
    if (code != exit_code::done) worst = code;
  }
  return worst;
}

int print_result(const Arguments& arguments, const Plan& plan, const std::string& config,
                 const std::string& token_file) {
  say("Next: `molecule-mcp install HOST`, or `molecule-mcp service install` to be online without "
      "one; `molecule-mcp doctor` checks everything.\n");
  if (!arguments.json()) return finish(config + "\n");
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("workspace_id", plan.id);
    o.field("config", config);
    o.field("token_file", token_file);
  }
  return finish(std::move(writer).take() + "\n");
}

}  // namespace

int setup(const Arguments& arguments) {
  const Environment environment = workspace::process_environment();
  Questions questions(arguments, environment);
  auto answered = questions.answer();
  if (!answered.ok()) return answered.error();
  Plan plan = std::move(*answered);
  Caller caller;
  if (!plan.create.empty()) {
    // The token of a new workspace is told once: where it is to lie must be known to work.
    if (auto ready = check_places(environment); !ready.ok()) {
      say_failure(fmt::format("nothing was created: {}", ready.error()));
      return exit_code::failed;
    }
    if (const int code = caller.run(create(caller.http(), plan)); code != exit_code::done) {
      return code;
    }
  } else if (!arguments.has("--no-check")) {
    if (const int code = caller.run(check(caller.http(), plan)); code != exit_code::done) {
      return code;
    }
  }
  auto token_file = store_token(environment, plan);
  if (!token_file.ok()) {
    say_failure(token_file.error());
    return exit_code::failed;
  }
  NewEntry entry{.id = plan.id,
                 .url = plan.url,
                 .name = plan.name,
                 .description = plan.description,
                 .token_file = *token_file};
  auto config = write_config(environment, entry);
  if (!config.ok()) {
    say_failure(config.error());
    return exit_code::failed;
  }
  const int installed = install_chosen(arguments, plan, questions.asks());
  const int printed = print_result(arguments, plan, config->string(), token_file->string());
  return installed != exit_code::done ? installed : printed;
}

}  // namespace molecule::cli
