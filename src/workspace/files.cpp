#include "molecule/workspace/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "molecule/base/files.hpp"
#include "molecule/base/log.hpp"
#include "molecule/base/text.hpp"

namespace molecule::workspace {

namespace {

constexpr std::chrono::seconds most_wait{5};
constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_extension = 16;

/// A file in the making: it goes away again unless it was kept.
class NewFile {
 public:
  /// Whatever has the name is the rest of an earlier try, or a trap: it goes, a link itself and
  /// not what it leads to.
  explicit NewFile(std::filesystem::path path) : path_(std::move(path)) {
    ::unlink(path_.c_str());
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  int fd() const { return fd_; }
  std::int64_t size() const {
    struct stat status{};
    return ::fstat(fd_, &status) == 0 ? status.st_size : -1;
  }
  /// Durable, with its name. False with errno set.
  bool keep() {
    const int folder = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool durable = folder >= 0 && ::fsync(fd_) == 0 && ::fsync(folder) == 0;
    const int code = errno;
    if (folder >= 0) ::close(folder);
    if (durable) ::close(std::exchange(fd_, -1));
    errno = code;
    return durable;
  }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

void warn(std::string_view name, std::string_view why) {
  log::warning("the file {} was not received: {}; trying again", text::sanitize_name(name), why);
}

}  // namespace

std::string received_name(std::string_view file_id, std::string_view name) {
  const std::size_t folders = name.find_last_of("/\\");
  if (folders != std::string_view::npos) name.remove_prefix(folders + 1);
  std::string safe = text::one_line(name);
  std::ranges::replace_if(
      safe,
      [](unsigned char c) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_' || c >= 0x80;
        return !plain;
      },
      '_');
  if (safe.empty() || safe == "." || safe == "..") safe = "file";
  std::string prefix(file_id);
  std::erase(prefix, '-');
  prefix += '-';
  const std::size_t room = longest_name - prefix.size();
  if (safe.size() <= room) return prefix + safe;
  const std::size_t dot = safe.rfind('.');
  const bool short_enough = dot != std::string::npos && safe.size() - dot <= longest_extension;
  const std::string extension = short_enough ? safe.substr(dot) : std::string();
  prefix += text::prefix_bytes(safe, room - extension.size());
  return prefix + extension;
}

Files::Files(platform::Client& client, std::filesystem::path state_folder,
             std::filesystem::path upload_folder, Clock& clock)
    : client_(client),
      store_(std::move(state_folder), clock),
      folder_(std::move(upload_folder)),
      clock_(clock),
      changed_(clock) {}

Files::Sending::~Sending() {
  --files_.sending_;
  files_.changed_.notify_all();
}

awaitable<void> Files::receive(std::vector<Upload> uploads, std::vector<Message> messages) {
  store_.add(uploads, messages);
  due_ = true;
  changed_.notify_all();
  const Clock::time_point deadline = clock_.now() + most_wait;
  bool in_time = true;
  while (in_time && store_.untried(messages)) {
    in_time = co_await changed_.wait_until(deadline);
  }
}

awaitable<void> Files::run() {
  while (true) {
    while (!due_ || sending_ > 0) co_await changed_.wait();
    due_ = false;
    try {
      co_await fetch_all();
    } catch (const sqlite::Error& error) {
      log::warning("files: {}; trying again", error.what());
    }
  }
}

awaitable<void> Files::fetch_all() {
  const std::vector<FileStore::Pending> pending = store_.pending();
  for (const FileStore::Pending& one : pending) {
    bool here = !one.path.empty();
    if (!here) {
      here = co_await fetch(one.upload);
      store_.tried(one.upload.file_id);
      changed_.notify_all();
    }
    if (here) co_await acknowledge(one.upload.file_id);
  }
}

awaitable<bool> Files::fetch(Upload upload) {
  if (const auto made = files::make_private_folder(folder_); !made) {
    warn(upload.name, made.error().message);
    co_return false;
  }
  const std::filesystem::path path = folder_ / received_name(upload.file_id, upload.name);
  NewFile file(path);
  if (file.fd() < 0) {
    warn(upload.name, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  auto fetched = co_await client_.fetch_upload(upload.file_id, file.fd(), largest_file);
  if (!fetched) {
    const platform::Errc code = fetched.error().code;
    const bool hopeless = code == platform::Errc::not_found || code == platform::Errc::too_large;
    if (hopeless) {
      store_.gone(upload.file_id);
      log::warning("the file {} cannot be received: {}", text::sanitize_name(upload.name),
                   fetched.error().message);
    } else {
      warn(upload.name, fetched.error().message);
    }
    co_return false;
  }
  if (upload.size && *upload.size != file.size()) {
    warn(upload.name, fmt::format("{} bytes came instead of {}", file.size(), *upload.size));
    co_return false;
  }
  if (!file.keep()) {
    warn(upload.name, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  store_.here(upload.file_id, path.string());
  co_return true;
}

awaitable<void> Files::acknowledge(std::string file_id) {
  auto done = co_await client_.ack_upload(file_id);
  if (done || done.error().code == platform::Errc::not_found) {
    store_.acknowledged(file_id);
  } else {
    log::debug("a received file was not acknowledged: {}", done.error().message);
  }
}

void Files::sent(const std::vector<platform::UploadedFile>& files) {
  std::vector<Upload> own;
  for (const platform::UploadedFile& file : files) {
    const auto id = pending_file_id(file.uri);
    if (id) own.push_back({.file_id = *id, .name = file.name, .size = file.size, .own = true});
  }
  try {
    store_.add(own, {});
  } catch (const sqlite::Error& error) {
    log::warning("files: {}", error.what());
  }
}

void Files::complete(Message& message) {
  try {
    store_.complete(message);
  } catch (const sqlite::Error& error) {
    log::warning("files: {}", error.what());
  }
}

}  // namespace molecule::workspace
