#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/clock.hpp"
#include "base/text/time.hpp"
#include "workspace/sync/report/trouble.hpp"

namespace molecule::workspace {

inline constexpr const char* status_file_name = "status.json";

/// What the owner of a workspace records for readers of the state folder.
struct OwnerRecord {
  /// Its id in `Sessions`.
  std::int64_t session = 0;
  std::int64_t pid = 0;
  /// When it became the owner.
  std::optional<WallTime> since;
  /// The last heartbeat and the last poll that the platform accepted.
  std::optional<WallTime> last_heartbeat;
  std::optional<WallTime> last_poll;
  /// The last failure, for people; empty if there was none.
  std::string last_error;
  std::optional<WallTime> last_error_at;
  /// What fails now; empty while all is well.
  std::optional<Trouble> trouble;
  /// The owner has given up the workspace, which cannot be used; `last_error` says why.
  bool disabled = false;
};

/// The owner's record, `status.json` in the state folder. It is written in place with one `write`
/// and never synced: a heartbeat or a poll costs microseconds and no wait for the disk, and after a
/// power cut the record may be an older one. A failed write is ignored: nothing depends on it.
class StatusFile {
 public:
  /// Touches no disk: the first record opens the file (0600). What only says that all is still well
  /// is written no more often than every `refresh`.
  StatusFile(const std::filesystem::path& state_folder, Clock& clock, Clock::duration refresh = {});
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;
  ~StatusFile();

  /// Begins a new record: this process has become the owner, as `session`.
  void begin(std::int64_t session);
  /// Writes nothing more: another process is the owner.
  void end() { record_ = {}; }
  /// Records that the owner gives up the workspace, as its last write. `why` is for people.
  void disable(std::string_view why);
  /// What fails or succeeds: being online, or receiving messages.
  enum class Part { presence, inbox };
  // Record what the owner does. Before `begin` and after `end` nothing is written.
  void heartbeat_sent();
  /// `news`: with messages, for which other processes wait.
  void polled(bool news = false);
  /// `what` is for people, with what to do `next`; callers keep secrets out.
  void failed(Part part, std::string_view what, std::string_view next);
  /// Wakes the watchers of the file without changing its content.
  void wake_watchers();
  /// What `begin` and the others have recorded.
  const OwnerRecord& record() const { return record_; }

 private:
  void note_error(std::string_view what);
  std::optional<Trouble>& trouble_of(Part part) { return part == Part::inbox ? inbox_ : presence_; }
  void succeeded(Part part, bool news);
  void write();

  std::string path_;
  Clock& clock_;
  Clock::duration refresh_;
  Clock::time_point written_ = Clock::time_point::min();
  OwnerRecord record_;
  std::optional<Trouble> inbox_;
  std::optional<Trouble> presence_;
  int fd_ = -1;
};

/// The record in a state folder; empty if there is none, or it cannot be read.
std::optional<OwnerRecord> read_owner_record(const std::filesystem::path& state_folder);

}  // namespace molecule::workspace
