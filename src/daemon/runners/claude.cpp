#include <fmt/format.h>

#include "base/text/text.hpp"
#include "daemon/runners/runner.hpp"

namespace molecule::daemon {

namespace {

/// Claude Code. Its events end with a `result`, whose `is_error` tells how it went: the exit code
/// and `subtype` do not.
class Claude final : public JsonLines {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    std::vector<std::string>& argv = invocation.argv;
    argv = program_of(turn.settings, "claude");
    // The same result as with `json`, and events on the way to it.
    argv.insert(argv.end(), {"-p", "--output-format", "stream-json", "--verbose"});
    argv.insert(argv.end(), {turn.session ? "--resume" : "--session-id",
                             turn.session.value_or(turn.new_session)});
    if (turn.server) {
      argv.insert(argv.end(), {"--mcp-config", turn.server->file.string(), "--strict-mcp-config",
                               "--allowedTools", "mcp__molecule"});
      invocation.files.push_back({turn.server->file, mcp_servers_json(*turn.server, false)});
    }
    // Alone, `--restricted` leaves the tools that read and write files.
    if (turn.restricted) argv.insert(argv.end(), {"--restricted", "--tools", ""});
    argv.insert(argv.end(), turn.settings.extra_args.begin(), turn.settings.extra_args.end());
    invocation.input = agent_prompt(turn.incoming, turn.server.has_value());
    return invocation;
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    end_of_output();
    TurnResult result;
    if (!has_result_ || end.how != ChildEnd::How::exited) {
      result = failed(turn, end, has_result_ ? text_ : other_output());
    } else if (is_error_) {
      result = failed(turn, end, text_.empty() ? std::string_view("no result") : text_);
    } else {
      result =
          answered(text_, session_.empty() ? turn.session.value_or(turn.new_session) : session_);
    }
    result.cost = cost_;
    return result;
  }

  std::string progress() const override { return progress_; }

 protected:
  void event(json::Value event) override {
    if (event["type"].string_or("") == "assistant") {
      for (const json::Value part : event["message"]["content"].items()) {
        if (part["type"].string_or("") != "tool_use") continue;
        progress_ = fmt::format("uses {}", text::sanitize_name(part["name"].string_or("a tool")));
      }
    }
    if (event["type"].string_or("") != "result") return;
    has_result_ = true;
    is_error_ = event["is_error"].boolean().value_or(false);
    text_ = event["result"].string_or("");
    session_ = event["session_id"].string_or("");
    cost_ = static_cast<std::int64_t>(event["total_cost_usd"].number().value_or(0) * 1e6);
  }

 private:
  bool has_result_ = false;
  bool is_error_ = false;
  std::string text_;
  std::string session_;
  std::string progress_;
  std::int64_t cost_ = 0;
};

}  // namespace

std::unique_ptr<Runner> make_claude() {
  return std::make_unique<Claude>();
}

}  // namespace molecule::daemon
