#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/files/lock_file.hpp"
#include "platform/client.hpp"
#include "workspace/store/file_store.hpp"

namespace molecule::workspace {

/// Receives the files that people send to one workspace (lessons.md 3): fetches them into its
/// upload folder, then acknowledges them. A file that fails is tried again at later polls, less and
/// less often and after other files, until the platform no longer has it or repeatedly sends
/// something that cannot be it. A complete file is made durable and gets a name of its own in the
/// folder (0600); only then is it acknowledged. Another process may fetch the same file (a former
/// owner that was stopped): the first to record it has received it, the other drops its copy.
class Files {
 public:
  /// More than the platform accepts (platform-api.md 10).
  static constexpr std::size_t max_file_bytes = std::size_t{128} << 20;

  /// `upload_folder` is created when the first file arrives.
  Files(platform::Client& client, const std::filesystem::path& state_folder,
        std::filesystem::path upload_folder, Clock& clock, const Timing& timing);
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// Stores what a page of rows says about files, before the cursor passes it, and lets `run` try
  /// everything that is due. Waits `Timing::file_wait` for the files of `messages`, of which only
  /// ids and attachments are used: a message should arrive with its files, but not wait long for
  /// them. Throws `StoreError`.
  awaitable<void> receive(std::vector<Upload> uploads, std::vector<Message> messages);
  /// Fetches and acknowledges after each `receive`. Ends only by cancellation.
  awaitable<void> run();

  /// While one exists, no process that serves the workspace fetches or acknowledges: a platform may
  /// show the agent's own upload before the reply with its id arrives. It must live until `sent` is
  /// done.
  class Sending {
   public:
    explicit Sending(Files& files);
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    ~Sending();

   private:
    Files& files_;
  };
  /// Records `files` as the agent's own. A failed write is only logged. Cancelling drops what is
  /// not yet written.
  awaitable<void> sent(std::vector<platform::UploadedFile> files);

  /// Adds the attachments that were received to a message; leaves it unchanged if the store cannot
  /// be read.
  void complete(Message& message);

 private:
  awaitable<void> fetch_all();
  /// Fetches the file unless it was received, and acknowledges it.
  awaitable<void> receive_one(FileStore::Pending file);
  /// True if this process has received it.
  awaitable<bool> fetch(FileStore::Pending file);
  awaitable<void> acknowledge(FileStore::Pending file);
  /// False if the file is done, or may be the agent's own.
  bool may_touch(const std::string& file_id);
  void failed(const FileStore::Pending& file, const platform::Error& error);
  /// `came`: the number of bytes, or "more".
  void wrong_size(const FileStore::Pending& file, std::string_view came);
  void not_now(const FileStore::Pending& file, std::string_view why);
  void try_later(const FileStore::Pending& file);
  Clock::duration patience_after(int tries) const;

  platform::Client& client_;
  FileStore store_;
  std::string folder_;
  Clock& clock_;
  const Timing& timing_;
  LockFile lock_;
  Event changed_;
  /// When a file that failed is due again.
  std::unordered_map<std::string, Clock::time_point> waiting_;
  bool due_ = false;
  int sending_ = 0;
};

/// The name of the file `file_id` in the upload folder: the id, and the safe characters of the last
/// part of `name`; at most 100 bytes.
std::string received_name(std::string_view file_id, std::string_view name);

}  // namespace molecule::workspace
