#include "base/json/writer.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "daemon/runners/runner.hpp"

namespace molecule::daemon {

namespace {

/// The settings of one turn, which its environment carries.
std::string config_of(const Turn& turn) {
  json::Writer writer;
  {
    auto out = writer.object();
    if (turn.server) {
      auto servers = out.object("mcp");
      auto own = servers.object("molecule");
      own.field("type", "local");
      {
        auto command = own.array("command");
        command.value(turn.server->program);
        command.value("serve");
      }
      own.field("enabled", true);
      auto environment = own.object("environment");
      for (const auto& [name, value] : turn.server->environment) environment.field(name, value);
    }
    if (turn.restricted) {
      auto permission = out.object("permission");
      for (const char* tool :
           {"bash", "edit", "webfetch", "read", "glob", "grep", "list", "external_directory"}) {
        permission.field(tool, "deny");
      }
    }
  }
  return std::move(writer).take();
}

constexpr std::size_t max_log_bytes = 16 << 10;

/// What the last error of its log says; empty if there is none whose end has come.
std::string last_error(std::string_view log) {
  constexpr std::string_view key = "error.error=\"";
  log = log.substr(0, log.rfind('\n') + 1);
  const std::size_t at = log.rfind(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = log.substr(at + key.size());
  return std::string(rest.substr(0, rest.find_first_of("\"\n")));
}

/// What it says itself. The log names whatever a tool did not find, which is no lost session.
std::string without_log(std::string_view errors) {
  std::string kept;
  for (const std::string& line : text::split_list(errors, '\n')) {
    if (line.find(" level=") == std::string::npos) kept += line + '\n';
  }
  return kept;
}

/// opencode names the session itself, on every event. It tries a model that fails again until it is
/// ended, and says so in its log alone.
class Opencode final : public JsonLines {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    std::vector<std::string>& argv = invocation.argv;
    argv = program_of(turn.settings, "opencode");
    argv.insert(argv.end(), {"run", "--format", "json", "--print-logs", "--log-level", "ERROR"});
    if (turn.session) argv.insert(argv.end(), {"-s", *turn.session});
    argv.insert(argv.end(), turn.settings.extra_args.begin(), turn.settings.extra_args.end());
    invocation.environment = {{"OPENCODE_CONFIG_CONTENT", config_of(turn)}};
    invocation.input = agent_prompt(turn.incoming, turn.server.has_value());
    return invocation;
  }

  void hear_errors(std::string_view piece) override {
    log_ += piece;
    if (log_.size() > max_log_bytes) log_.erase(0, log_.size() - max_log_bytes);
  }

  std::string progress() const override {
    const std::string error = last_error(log_);
    return error.empty() ? error : "its model fails: " + redact_secrets(text::sanitize_name(error));
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    end_of_output();
    TurnResult result;
    if (end.how == ChildEnd::How::exited && end.code == 0 && error_.empty()) {
      result = answered(text_, session_.empty() ? turn.session.value_or("") : session_);
    } else {
      ChildEnd shown = end;
      shown.errors = without_log(end.errors);
      std::string said = error_.empty() ? other_output() : error_;
      if (end.how != ChildEnd::How::exited && text::trim(said).empty()) said = last_error(log_);
      result = failed(turn, shown, said);
    }
    result.cost = cost_;
    return result;
  }

 protected:
  void event(json::Value event) override {
    const std::string_view type = event["type"].string_or("");
    if (const auto session = event["sessionID"].string()) session_ = *session;
    const json::Value part = event["part"];
    if (type == "text") {
      text_ += part["text"].string_or("");
    } else if (type == "step_finish") {
      cost_ += static_cast<std::int64_t>(part["cost"].number().value_or(0) * 1e6);
    } else if (type == "error") {
      error_ = event["error"]["data"]["message"].string_or(
          event["error"]["name"].string_or("it reported an error"));
    }
  }

 private:
  std::string text_;
  std::string session_;
  std::string error_;
  /// The end of it.
  std::string log_;
  std::int64_t cost_ = 0;
};

}  // namespace

std::unique_ptr<Runner> make_opencode() {
  return std::make_unique<Opencode>();
}

}  // namespace molecule::daemon
