#include "base/json/writer.hpp"
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

/// opencode names the session itself, on every event.
class Opencode final : public JsonLines {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    std::vector<std::string>& argv = invocation.argv;
    argv = program_of(turn.settings, "opencode");
    argv.insert(argv.end(), {"run", "--format", "json"});
    if (turn.session) argv.insert(argv.end(), {"-s", *turn.session});
    argv.insert(argv.end(), turn.settings.extra_args.begin(), turn.settings.extra_args.end());
    invocation.environment = {{"OPENCODE_CONFIG_CONTENT", config_of(turn)}};
    invocation.input = agent_prompt(turn.incoming, turn.server.has_value());
    return invocation;
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    end_of_output();
    TurnResult result;
    if (end.how == ChildEnd::How::exited && end.code == 0 && error_.empty()) {
      result = answered(text_, session_.empty() ? turn.session.value_or("") : session_);
    } else {
      result = failed(turn, end, error_.empty() ? std::string_view(other_output()) : error_);
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
  std::int64_t cost_ = 0;
};

}  // namespace

std::unique_ptr<Runner> make_opencode() {
  return std::make_unique<Opencode>();
}

}  // namespace molecule::daemon
