#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/async/clock.hpp"
#include "base/sqlite.hpp"
#include "base/text/time.hpp"
#include "workspace/store/sessions.hpp"
#include "workspace/workload.hpp"

namespace molecule::workspace {

/// A file that came with a message.
struct Attachment {
  /// `file://…` once it is on this machine.
  std::string uri;
  std::string name;
  std::string mime_type;
  std::optional<std::int64_t> size = std::nullopt;
  /// Why it is not here; empty where that is not known or not so.
  std::string status = {};
};

/// One message as agents see it (molecule-mcp.md 5 and 6). Empty texts are unknown ones.
struct Message {
  std::string activity_id;
  std::string text;
  /// Empty for the human.
  std::string peer_id;
  /// `canvas_user`, `peer_agent` or `delegation_result`.
  std::string kind;
  std::string method;
  std::string created_at;
  std::string peer_name;
  std::string peer_role;
  /// Its place among the platform's rows; 0 where the platform does not number them.
  std::int64_t sequence = 0;
  /// An http or https address, as the platform gave it.
  std::string agent_card_url = {};
  /// The sender's own name of the message, by which an answer says what it answers. Not shown.
  std::string message_id = {};
  /// Which task of this workspace's it answers, and how that one began; empty where that is not
  /// known. A task that another workspace did not get is none that it can answer.
  std::string task_id = {};
  std::string task = {};
  /// Another session that runs was given it, and its agent is to answer it.
  bool with_another_session = false;
  /// Which workspace received it; set only where a process serves several.
  std::string arrival_workspace_id = {};
  /// Kept by `FileStore`, not by the inbox.
  std::vector<Attachment> attachments = {};
};

/// The message as the tools show it: a JSON object's text.
std::string to_json(const Message& message);

/// The durable inbox of one workspace: `inbox.db` in its state folder. A message stays until it
/// is popped, and a popped id never returns for as long as the platform keeps rows (popped ids are
/// kept 35 days, and the newest 100,000 of them for ever). All functions throw `sqlite::Error` when
/// the file cannot be read or written (a full disk, a file that is not an inbox); nothing is
/// changed then.
///
/// Several processes may use it at once (`Sessions`). One of them owns it and fills it. A message
/// that was given to one session is leased to it: no other session is given it until the lease
/// ends, by a pop, with the session, or after `lease_lasts`.
///
/// The cursor also lies in `.mcp_inbox_cursor`, as the Python runtime leaves it: when a process
/// becomes the owner a valid file wins over the database, because that runtime may have moved on
/// meanwhile.
class Inbox {
 public:
  /// More messages than this, and the poller stops fetching until some are popped.
  static constexpr std::size_t most_messages = 10'000;
  static constexpr std::chrono::minutes lease_lasts{10};

  /// What the functions of the owner throw in a process that is not the owner any more; nothing
  /// is changed then.
  class NotTheOwner : public std::runtime_error {
   public:
    NotTheOwner() : std::runtime_error("another process owns the inbox") {}
  };

  /// While one lives, what needs the lock of another process fails at once, for those who can try
  /// again; else it blocks the loop for a moment.
  class NoWaiting {
   public:
    explicit NoWaiting(Inbox& inbox);
    NoWaiting(const NoWaiting&) = delete;
    NoWaiting& operator=(const NoWaiting&) = delete;
    ~NoWaiting();

   private:
    Inbox& inbox_;
  };

  /// Called after there may be something new to give out.
  std::function<void()> on_arrival;

  /// Touches no disk: the first use opens the file.
  Inbox(std::filesystem::path state_folder, Clock& clock);

  const std::filesystem::path& state_folder() const { return state_folder_; }
  Sessions& sessions() { return sessions_; }
  /// Whether this session is the owner; it becomes the owner where none precedes it.
  bool claim();
  /// How often it became the owner: also one that sees only now that another was it meanwhile.
  unsigned claims() const { return claims_; }
  /// Whether another process has changed something since this was called last; false at first.
  bool changed_elsewhere();
  /// What was seen could not be used: `changed_elsewhere` says it once more.
  void look_again() { look_again_ = true; }

  /// Ends the ownership of this session. Opens no file.
  void release_ownership();

  // For the owner. Where nobody ever claimed the inbox, everybody is.

  /// Stores what is new of `messages` (oldest first) and then lets the cursor pass, in one
  /// transaction. Gives back the new ones.
  /// `sequence` is the highest of all rows up to the cursor, 0 where it is not known;
  /// `cursor_created` is when the platform made the cursor's row, where it says.
  std::vector<Message> store(const std::vector<Message>& messages, const std::string& cursor,
                             std::int64_t sequence = 0,
                             std::optional<WallTime> cursor_created = std::nullopt);
  /// The highest of the platform's sequences up to which everything is popped, or was no message;
  /// 0 where it is not known.
  std::int64_t handled_sequence();
  std::optional<std::string> cursor();
  /// Without a cursor: since when the platform is being asked, so that no row that came after it
  /// is older than what a poll asks for. Nothing where no poll has succeeded yet.
  std::optional<WallTime> watched_since();
  void watch_since(WallTime time);
  /// The platform does not know the cursor any more; `watched_since` starts at `last_poll`, the
  /// last one of this process after which nothing was left to fetch. Where it has made none, it
  /// starts at the cursor's own time.
  void forget_cursor(std::optional<WallTime> last_poll);

  // For all sessions.

  std::optional<Message> oldest();
  /// The oldest that may be given to this session: it has its lease, or nobody has. Gives nothing.
  std::optional<Message> next();
  /// Leases the message to this session, or prolongs its lease; false where it is popped or
  /// another session's meanwhile.
  bool lease(std::string_view activity_id);
  /// Prolongs all leases of this session: one that works at one message keeps the others that it
  /// was given. Opens no file: who has not used the inbox has no lease.
  void prolong_leases();
  /// The oldest that this session has not announced and that may be given to it, leased to it. What
  /// comes back to it after its lease has run out is not announced again.
  std::vector<Message> announce(std::size_t limit);
  /// Ends the leases of sessions that have ended, and those that have run out; true where there
  /// were such. What ended sessions told of their work is forgotten too.
  bool free_leases();
  /// At the end of this session: ends its leases, its work and its ownership.
  void release();

  /// Tells the owner what this session is at work on. Waits for no other process: throws at once
  /// where one is writing.
  void publish_workload(const Load& load);
  /// What the other sessions have told, those that run: the tasks of all, and which one of them
  /// works on.
  Load load_of_others();

  /// A peer has this task in its inbox and will answer later: the answer is told by it. Kept as
  /// long as popped ids; of the text only what `task` of a message shows.
  void remember_task(std::string_view task_id, std::string_view peer_id, std::string_view text);
  static constexpr std::size_t most_task_characters = 100;

  /// The card that the agent has set, in place of `replaced`; JSON objects' texts.
  void keep_card(std::string_view card, std::string_view replaced);
  /// The card that was set last, where it replaced this one.
  std::optional<std::string> card_instead_of(std::string_view replaced);

  /// The message, while it has not been popped.
  std::optional<Message> find(std::string_view activity_id);
  /// All that wait, or what may be given to this session.
  enum class Which { waiting, available };
  /// Oldest first.
  std::vector<Message> peek(std::size_t limit, Which which = Which::waiting);
  std::size_t size();
  /// Whether one of the waiting messages is from that peer.
  bool has_from(std::string_view peer_id);
  bool full() { return size() >= most_messages; }
  /// False when there was no such message, which is not an error. Idempotent.
  bool pop(std::string_view activity_id);
  /// What was popped since the last call, or since this session opened the file, by whichever
  /// session.
  std::vector<std::string> newly_popped();

 private:
  sqlite::Database& database();
  void write_cursor_file(const std::string& cursor);
  /// A row of `select_told`, with whether another session has the message.
  Message read_told(const sqlite::Statement& row);
  /// The other runtime may have moved on meanwhile.
  void take_cursor_file(sqlite::Database& db);

  bool owned_by_other(sqlite::Database& db);
  /// Throws `NotTheOwner`; within a transaction.
  void require_ownership(sqlite::Database& db);

  std::filesystem::path state_folder_;
  Sessions sessions_;
  std::optional<std::int64_t> seen_version_;
  bool look_again_ = false;
  unsigned claims_ = 0;
  /// `popped_at` of the last that `newly_popped` told.
  std::int64_t told_popped_ = 0;
  /// Sequence numbers of what is still there.
  std::unordered_set<std::int64_t> announced_;
  std::optional<sqlite::Database> database_;
  Clock& clock_;
};

}  // namespace molecule::workspace
