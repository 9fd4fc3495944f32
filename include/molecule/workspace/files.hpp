#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "molecule/base/clock.hpp"
#include "molecule/base/event.hpp"
#include "molecule/platform/client.hpp"
#include "molecule/workspace/file_store.hpp"

namespace molecule::workspace {

/// Receives the files that people send to one workspace (lessons.md 3): fetched into its upload
/// folder, then acknowledged; what fails is tried again at the next poll. A file exists there
/// under a name that only it has, made exclusively, 0600, and durable before the platform is told
/// to forget it.
class Files {
 public:
  /// What the platform takes is smaller (platform-api.md 10).
  static constexpr std::size_t largest_file = std::size_t{128} << 20;

  /// `upload_folder` is made when the first file comes.
  Files(platform::Client& client, std::filesystem::path state_folder,
        std::filesystem::path upload_folder, Clock& clock);
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// Keeps what a page of rows told, before the cursor passes it, and lets `run` try everything
  /// that is due. Waits a little for the files of `messages`, so that a message mostly comes with
  /// its files; never long, as messages must not wait for files. Throws `sqlite::Error`.
  awaitable<void> receive(std::vector<Upload> uploads, std::vector<Message> messages);
  /// Fetches and acknowledges after each `receive`. Ends only by cancellation.
  awaitable<void> run();

  /// While one lives, nothing is fetched: a platform may show the agent's own upload before the
  /// answer tells its id.
  class Sending {
   public:
    explicit Sending(Files& files) : files_(files) { ++files_.sending_; }
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    ~Sending();

   private:
    Files& files_;
  };
  /// These are the agent's own. What cannot be written is only logged.
  void sent(const std::vector<platform::UploadedFile>& files);

  /// Gives a message its attachments as far as they are here. A store that cannot be read leaves
  /// it as it is.
  void complete(Message& message);

 private:
  awaitable<void> fetch_all();
  awaitable<bool> fetch(Upload upload);
  awaitable<void> acknowledge(std::string file_id);

  platform::Client& client_;
  FileStore store_;
  std::filesystem::path folder_;
  Clock& clock_;
  Event changed_;
  bool due_ = false;
  int sending_ = 0;
};

/// `name` as the file `file_id` is called in the upload folder: the id, and what is safe of the
/// name's last part; at most 100 bytes.
std::string received_name(std::string_view file_id, std::string_view name);

}  // namespace molecule::workspace
