#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/child/child.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/prompt.hpp"

namespace molecule::daemon {

/// One turn of a handler.
struct Turn {
  HandlerSettings settings;
  Incoming incoming;
  /// The conversation's session, if it has one.
  std::optional<std::string> session;
  /// A fresh UUID, for those who let us name a new session.
  std::string new_session;
  /// The sender's text is read without shell, network and files.
  bool restricted = true;
  /// What starts this program as the agent's MCP server.
  struct Server {
    std::string program;
    std::vector<std::pair<std::string, std::string>> environment;
    /// A file of this turn, for CLIs that want one.
    std::filesystem::path file;
  };
  std::optional<Server> server;
  /// Another file of this turn.
  std::filesystem::path policy_file;
  /// The working directory is the daemon's and no person's.
  bool own_folder = false;
};

/// What to run.
struct Invocation {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string input;
  struct File {
    std::filesystem::path path;
    std::string content;
    /// It stays, because turns beside this one read it too; all give it the same content.
    bool shared = false;
  };
  /// What it reads besides. None but the shared ones outlive the turn.
  std::vector<File> files;
};

/// How a turn ended.
struct TurnResult {
  enum class Outcome {
    answered,
    empty,            ///< it ended well without a text
    accepted,         ///< a webhook that will answer by itself
    failed,           ///< `reason` says why
    unknown_session,  ///< the session to resume is gone
    stopped           ///< this program is ending
  };
  Outcome outcome = Outcome::failed;
  std::string text = {};
  std::string reason = {};
  /// The session that the next turn of the conversation resumes.
  std::string session = {};
  /// Millionths of a dollar.
  std::int64_t cost = 0;
};

/// How one kind of program is started and its output understood. One object a turn.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual Invocation prepare(const Turn& turn) = 0;
  /// A piece of stdout; false if it is more than any answer has.
  virtual bool take(std::string_view piece) = 0;
  /// A piece of stderr, while it runs.
  virtual void hear_errors(std::string_view /*piece*/) {}
  virtual TurnResult finish(const Turn& turn, const ChildEnd& end) = 0;
  /// What it is at, in a few words; empty if unknown.
  virtual std::string progress() const { return {}; }
};

/// Of every kind but `none` and `webhook`.
std::unique_ptr<Runner> make_runner(Kind kind);

/// The most that an answer may have.
inline constexpr std::size_t max_answer_bytes = 1 << 20;

/// Why a program gave no answer, in a line for people: never more than the beginning of what it
/// said itself.
std::string describe(const ChildEnd& end, std::chrono::seconds deadline);

/// The arguments of an agent's CLI: `argv` of the settings, or its usual name.
std::vector<std::string> program_of(const HandlerSettings& settings, const char* usual);

/// `{"mcpServers":{"molecule":…}}`; `trust` as Gemini wants it.
std::string mcp_servers_json(const Turn::Server& server, bool trust);

/// True if what the program said means that it does not know the session.
bool says_unknown_session(std::string_view said);

/// For CLIs that write JSON, an event a line: finds the lines.
class JsonLines : public Runner {
 public:
  bool take(std::string_view piece) final;

 protected:
  virtual void event(json::Value event) = 0;
  /// Call it first in `finish`: the last line may have no end, and old versions write one object
  /// over several lines.
  void end_of_output();
  /// The beginning of what was no JSON.
  const std::string& other_output() const { return other_; }

 private:
  void line(std::string_view text);

  std::string buffer_;
  std::string other_;
};

/// `failed`, or what the end of the program makes of it.
TurnResult failed(const Turn& turn, const ChildEnd& end, std::string_view said);
/// `answered`, or `empty` for a blank text.
TurnResult answered(std::string_view text, std::string session);

std::unique_ptr<Runner> make_command();
std::unique_ptr<Runner> make_claude();
std::unique_ptr<Runner> make_codex();
std::unique_ptr<Runner> make_gemini();
std::unique_ptr<Runner> make_opencode();

}  // namespace molecule::daemon
