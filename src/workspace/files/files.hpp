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
#include "workspace/files/file_store.hpp"

namespace molecule::workspace {

/// Receives the files that people send to one workspace (lessons.md 3): fetched into its upload
/// folder, then acknowledged. What fails is tried again at a later poll, ever more seldom, and
/// other files go first; it ends when the platform has the file no more, or sends again and again
/// what cannot be it. A file gets its name there, which only it has, when it is whole, 0600, and
/// durable; only then is the platform told to forget it. Another process may be at the same file
/// (a former owner that woke up): whoever records it first has received it, the other one drops
/// its copy.
class Files {
 public:
  /// What the platform takes is smaller (platform-api.md 10).
  static constexpr std::size_t largest_file = std::size_t{128} << 20;

  /// `upload_folder` is made when the first file comes.
  Files(platform::Client& client, const std::filesystem::path& state_folder,
        std::filesystem::path upload_folder, Clock& clock);
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// Keeps what a page of rows told, before the cursor passes it, and lets `run` try everything
  /// that is due. Waits a little for the files of `messages`, so that a message mostly comes with
  /// its files; never long, as messages must not wait for files. Throws `sqlite::Error`.
  awaitable<void> receive(std::vector<Upload> uploads, std::vector<Message> messages);
  /// Fetches and acknowledges after each `receive`. Ends only by cancellation.
  awaitable<void> run();

  /// While one lives, no process that serves the workspace fetches or acknowledges: a platform may
  /// show the agent's own upload before the answer tells its id. It must live until `sent` is done.
  class Sending {
   public:
    explicit Sending(Files& files);
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    ~Sending();

   private:
    Files& files_;
  };
  /// These are the agent's own. A store that is in use is tried again for some seconds; what cannot
  /// be written is only logged. Cancelling it gives up what was not written.
  awaitable<void> sent(std::vector<platform::UploadedFile> files);

  /// Gives a message its attachments as far as they are here. A store that cannot be read leaves
  /// it as it is.
  void complete(Message& message);

 private:
  awaitable<void> fetch_all();
  /// Fetches it unless it is here, and acknowledges it.
  awaitable<void> receive_one(FileStore::Pending file);
  /// True where this process has received it.
  awaitable<bool> fetch(FileStore::Pending file);
  awaitable<void> acknowledge(FileStore::Pending file);
  /// False where it is done, or may be the agent's own.
  bool may_touch(const std::string& file_id);
  void failed(const FileStore::Pending& file, const platform::Error& error);
  /// `came`: how many bytes, or "more".
  void wrong_size(const FileStore::Pending& file, std::string_view came);
  void not_now(const FileStore::Pending& file, std::string_view why);
  void try_later(const FileStore::Pending& file);
  bool add_own(const std::vector<Upload>& own, bool last);

  platform::Client& client_;
  FileStore store_;
  std::filesystem::path folder_;
  Clock& clock_;
  LockFile lock_;
  Event changed_;
  /// Until when a file that failed waits for its next try.
  std::unordered_map<std::string, Clock::time_point> waiting_;
  bool due_ = false;
  int sending_ = 0;
};

/// `name` as the file `file_id` is called in the upload folder: the id, and what is safe of the
/// name's last part; at most 100 bytes.
std::string received_name(std::string_view file_id, std::string_view name);

}  // namespace molecule::workspace
