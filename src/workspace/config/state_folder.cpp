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

/// Lets one process at a time decide, which takes a moment. A lock that somebody else holds is not
/// waited for, as the host waits for its first answer. Without the lock the first of two to write
/// its name still wins, by the way in which the file is made.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int tries = 0; fd_ >= 0 && tries < max_tries && busy(); ++tries) {
      // No loop runs yet, and without a folder the host cannot be answered.
      // ast-grep-ignore: blocking-call
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  static constexpr int max_tries = 5;

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

namespace {

/// An agent may keep files of its own there; those have other names.
bool is_state_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? "" : name.substr(dot);
  return name.starts_with('.') || name == "status.json" || ending == ".lock" ||
         ending.starts_with(".db");
}

bool lies_in(const fs::path& folder, const files::Identity& file) {
  std::error_code failure;
  fs::directory_iterator entry(folder, failure);
  while (!failure && entry != fs::directory_iterator()) {
    const bool state = is_state_name(entry->path().filename().string());
    if (state && files::identity(entry->path()) == file) return true;
    entry.increment(failure);
  }
  return false;
}

}  // namespace

bool is_state_file(const fs::path& state_folder, const files::Identity& file) {
  const bool below = is_uuid(state_folder.filename().string());
  const fs::path base = below ? state_folder.parent_path() : state_folder;
  if (lies_in(state_folder, file)) return true;
  if (below && !owner_of_folder(base).empty() && lies_in(base, file)) return true;
  for (const WorkspaceFolder& one : list_state_folders(base)) {
    if (is_uuid(one.folder.filename().string()) && lies_in(one.folder, file)) return true;
  }
  return false;
}

}  // namespace molecule::workspace
