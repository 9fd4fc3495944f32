#include "workspace/config/state_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/files/new_file.hpp"

namespace molecule::workspace {

namespace {

namespace fs = std::filesystem;

constexpr const char* owner_file = ".workspace_id";

bool is_there(const fs::path& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// Lets one process at a time decide, which takes a moment; a process that is stopped meanwhile is
/// not waited for. On file systems without locks the first of two to write its name still wins, by
/// the way in which the file is made.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int tries = 0; fd_ >= 0 && tries < 100 && busy(); ++tries) {
      // No loop runs yet, and without a folder the host cannot be answered.
      // ast-grep-ignore: blocking-call
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  bool busy() const { return ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

  int fd_;
};

}  // namespace

std::string owner_of_folder(const fs::path& base) {
  const auto content = files::read(base / owner_file, 4096);
  if (!content.ok()) return {};
  const std::string_view id = text::trim(*content);
  return is_uuid(id) ? text::lower(id) : std::string();
}

namespace {

/// Replaces only a file that names no workspace.
bool name_owner(const fs::path& base, const std::string& id) {
  const fs::path path = base / owner_file;
  NewFile file(base, "workspace_id");
  const std::string line = id + "\n";
  const bool written = file.fd() >= 0 && ::write(file.fd(), line.data(), line.size()) ==
                                             static_cast<ssize_t>(line.size());
  bool published = written && file.publish(path);
  if (written && !published && errno == EEXIST && owner_of_folder(base).empty()) {
    ::unlink(path.c_str());
    published = file.publish(path);
  }
  if (published) file.keep();
  return published;
}

}  // namespace

fs::path find_state_folder(const fs::path& base, const std::string& id, bool several) {
  const std::string owner = owner_of_folder(base);
  if (owner == id) return base;
  fs::path own = base / id;
  const bool may_take = owner.empty() && !several && !is_there(own);
  return may_take ? base : own;
}

Result<fs::path, files::Error> take_state_folder(const fs::path& base, const std::string& id,
                                                 bool several) {
  const FolderLock lock(base);
  const bool unnamed = owner_of_folder(base).empty();
  if (unnamed && find_state_folder(base, id, several) == base && !name_owner(base, id) &&
      errno != EEXIST) {
    // A full disk must not keep the workspace offline: the next start names it.
    log::warning("{} could not be marked as workspace {}'s: {}", base.string(), id,
                 std::strerror(errno));
  }
  fs::path folder = find_state_folder(base, id, several);
  if (auto made = files::make_private_folder(folder); !made.ok()) return Failure{made.error()};
  return folder;
}

std::vector<WorkspaceFolder> list_state_folders(const fs::path& base) {
  std::vector<WorkspaceFolder> found;
  std::error_code failure;
  fs::directory_iterator entry(base, failure);
  while (!failure && entry != fs::directory_iterator()) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (is_uuid(name) && entry->is_directory(ignored)) found.push_back({name, entry->path()});
    entry.increment(failure);
  }
  std::sort(found.begin(), found.end(),
            [](const WorkspaceFolder& a, const WorkspaceFolder& b) { return a.id < b.id; });
  std::string owner = owner_of_folder(base);
  if (found.empty() || !owner.empty() || is_there(base / "inbox.db")) {
    found.insert(found.begin(), {std::move(owner), base});
  }
  return found;
}

}  // namespace molecule::workspace
