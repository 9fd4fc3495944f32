#include <fmt/format.h>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "daemon/runners/runner.hpp"

namespace molecule::daemon {

namespace {

/// Codex. It names the session itself, and takes options of `exec` only before `resume`.
class Codex final : public JsonLines {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    std::vector<std::string>& argv = invocation.argv;
    argv = program_of(turn.settings, "codex");
    argv.insert(argv.end(), {"exec", "--skip-git-repo-check"});
    // The sandbox still lets a shell read files, and the search is not the shell's.
    if (turn.restricted) {
      argv.insert(argv.end(), {"-s", "read-only", "-c", "features.shell_tool=false", "-c",
                               "features.unified_exec=false", "-c", "features.view_image=false",
                               "-c", R"(web_search="disabled")"});
    }
    if (turn.server) add_server(*turn.server, argv);
    argv.insert(argv.end(), turn.settings.extra_args.begin(), turn.settings.extra_args.end());
    if (turn.session) {
      argv.insert(argv.end(), {"resume", "--json", *turn.session, "-"});
    } else {
      argv.insert(argv.end(), {"--json", "-"});
    }
    invocation.input = agent_prompt(turn.incoming, turn.server.has_value());
    return invocation;
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    end_of_output();
    const bool good = end.how == ChildEnd::How::exited && end.code == 0 && !turn_failed_;
    if (good) return answered(text_, session_.empty() ? turn.session.value_or("") : session_);
    return failed(turn, end, error_.empty() ? std::string_view(other_output()) : error_);
  }

  std::string progress() const override { return progress_; }

 protected:
  void event(json::Value event) override {
    const std::string_view type = event["type"].string_or("");
    const json::Value item = event["item"];
    if (type == "thread.started") session_ = event["thread_id"].string_or("");
    if (type == "item.started") {
      progress_ = text::sanitize_name(item["type"].string_or("works"));
    } else if (type == "item.completed" && item["type"].string_or("") == "agent_message") {
      text_ = item["text"].string_or("");
    } else if (type == "turn.failed" || type == "error") {
      turn_failed_ = turn_failed_ || type == "turn.failed";
      error_ = event["error"]["message"].string_or(event["message"].string_or(""));
    }
  }

 private:
  /// Its configuration is TOML; a JSON string is one of TOML as well.
  static void add_server(const Turn::Server& server, std::vector<std::string>& argv) {
    std::string environment;
    for (const auto& [name, value] : server.environment) {
      environment +=
          fmt::format("{}{}={}", environment.empty() ? "" : ",", name, json::quoted(value));
    }
    const std::string table = "mcp_servers.molecule.";
    for (const std::string& setting :
         {table + "command=" + json::quoted(server.program), table + R"(args=["serve"])",
          table + "env={" + environment + "}",
          table + R"(default_tools_approval_mode="approve")"}) {
      argv.insert(argv.end(), {"-c", setting});
    }
  }

  std::string text_;
  std::string session_;
  std::string error_;
  std::string progress_;
  bool turn_failed_ = false;
};

}  // namespace

std::unique_ptr<Runner> make_codex() {
  return std::make_unique<Codex>();
}

}  // namespace molecule::daemon
