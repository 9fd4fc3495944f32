#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::workspace {

/// A file that waits for this workspace on the platform (`chat_upload_receive`).
struct Upload {
  std::string file_id;
  std::string name;
  std::optional<std::int64_t> size;
  /// Empty if the platform did not say.
  std::string mime_type = {};
  /// The agent itself sent it: it is neither fetched nor acknowledged, since the platform would
  /// then delete the user's copy.
  bool own = false;
};

/// The id in a uri `platform-pending:<workspace>/<file_id>`, in lower case; nothing for any other.
std::optional<std::string> pending_file_id(std::string_view uri);

/// What is known of received files: `files.db` in a workspace's state folder. Kept apart from the
/// inbox, so that only messages with files pay for it. All functions throw `StoreError`.
class FileStore {
 public:
  /// Touches no disk: the first use opens the file.
  FileStore(const std::filesystem::path& state_folder, Clock& clock, const Timing& timing);

  Database& database() { return database_; }

  /// Adds what is not known yet, in one transaction. An upload that is known as our own stays so.
  void add(const std::vector<Upload>& uploads, const std::vector<Message>& messages);

  struct Pending {
    Upload upload;
    /// The received file, if only the acknowledgement is missing; else empty.
    std::string path;
    /// How often fetching or acknowledging it failed.
    int tries = 0;
  };
  /// What is still to be fetched or acknowledged: what failed least often comes first, and among
  /// those the oldest.
  std::vector<Pending> pending();
  /// True if the file is still to be fetched or acknowledged.
  bool is_pending(const std::string& file_id);
  /// True if a file of these messages waits for its first try.
  bool untried(const std::vector<Message>& messages);

  /// Counts a try that failed.
  void tried(const std::string& file_id);
  /// The bytes are at `path`. False, and nothing is changed, if the file need not be fetched any
  /// more: another process has it, or it turned out to be our own.
  bool here(const std::string& file_id, const std::string& path);
  void acknowledged(const std::string& file_id);
  /// The platform no longer has it.
  void gone(const std::string& file_id);
  /// It will not be fetched again: the platform sends something that cannot be it.
  void give_up(const std::string& file_id);

  /// Gives a message its attachments: `file://` uris, in its text too, for what is here.
  void complete(Message& message);

 private:
  /// Does nothing if the state is not `from`.
  void change_state(const std::string& file_id, std::string_view from, std::string_view to);

  Database database_;
  Clock& clock_;
  const Timing& timing_;
};

}  // namespace molecule::workspace
