#include <string_view>

#include "base/json/reader.hpp"
#include "daemon/runners/runner.hpp"

namespace molecule::daemon {

namespace {

/// Its exit code for a session that does not exist.
constexpr int unknown_session_code = 42;

/// No tools but the workspace's. Settings would not do: it skips a system file that root does not
/// own, and goes on without it.
constexpr std::string_view restricted_policy = R"([[rule]]
toolName = "*"
decision = "deny"
priority = 990
[[rule]]
mcpName = "molecule"
toolName = "*"
decision = "allow"
priority = 995
)";

/// Tells it of the MCP server, which the model sees only if it is trusted. The folder's settings
/// are read whoever owns them, but turns side by side share them, so they name variables of the
/// turn. A folder of the person's is left alone: there only a system file is left, which the
/// program ignores unless root owns it and its folders.
void give_server(const Turn& turn, Invocation& invocation) {
  if (!turn.own_folder) {
    const std::filesystem::path& file = turn.server->file;
    invocation.files.push_back({file, mcp_servers_json(*turn.server, true)});
    invocation.environment.emplace_back("GEMINI_CLI_SYSTEM_SETTINGS_PATH", file.string());
    return;
  }
  Turn::Server named = *turn.server;
  for (auto& [name, value] : named.environment) {
    const std::string variable = "MOLECULE_SERVER_" + name;
    invocation.environment.emplace_back(variable, std::move(value));
    value = "${" + variable + "}";
  }
  invocation.files.push_back({turn.settings.working_directory / ".gemini" / "settings.json",
                              mcp_servers_json(named, true), true});
}

/// Gemini CLI: one JSON object at the end. Its MCP servers come from settings.
class Gemini final : public Runner {
 public:
  Invocation prepare(const Turn& turn) override {
    Invocation invocation;
    std::vector<std::string>& argv = invocation.argv;
    argv = program_of(turn.settings, "gemini");
    argv.insert(argv.end(), {"-o", "json", turn.session ? "--resume" : "--session-id",
                             turn.session.value_or(turn.new_session)});
    if (turn.restricted) {
      argv.insert(argv.end(), {"--policy", turn.policy_file.string()});
      invocation.files.push_back({turn.policy_file, std::string(restricted_policy)});
    }
    argv.insert(argv.end(), turn.settings.extra_args.begin(), turn.settings.extra_args.end());
    invocation.environment = {{"GEMINI_CLI_TRUST_WORKSPACE", "true"}};
    if (turn.server) give_server(turn, invocation);
    invocation.input = agent_prompt(turn.incoming, turn.server.has_value());
    return invocation;
  }

  bool take(std::string_view piece) override {
    output_ += piece;
    return output_.size() <= 4 * max_answer_bytes;
  }

  TurnResult finish(const Turn& turn, const ChildEnd& end) override {
    json::Document document;
    // Some versions print lines before the object.
    const std::size_t begin = output_.find('{');
    const auto parsed = document.parse(
        std::string_view(output_).substr(begin == std::string::npos ? output_.size() : begin));
    const json::Value reply = parsed ? *parsed : json::Value();
    const bool exited = end.how == ChildEnd::How::exited;
    if (exited && end.code == 0 && reply.is_object() && !reply["error"].is_object()) {
      return answered(reply["response"].string_or(""), turn.session.value_or(turn.new_session));
    }
    TurnResult result = failed(turn, end, reply["error"]["message"].string_or(""));
    if (exited && end.code == unknown_session_code && turn.session) {
      result.outcome = TurnResult::Outcome::unknown_session;
    }
    return result;
  }

 private:
  std::string output_;
};

}  // namespace

std::unique_ptr<Runner> make_gemini() {
  return std::make_unique<Gemini>();
}

}  // namespace molecule::daemon
