#include "workspace/files/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files/files.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "workspace/files/new_file.hpp"

namespace molecule::workspace {

namespace {

constexpr std::chrono::seconds most_wait{5};
constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_extension = 16;

/// How often the platform may send what is not of the size that it told.
constexpr int most_wrong_sizes = 5;
/// The next poll comes a little later.
constexpr Clock::duration first_patience = std::chrono::seconds(4);
constexpr Clock::duration most_patience = std::chrono::hours(1);
constexpr std::chrono::milliseconds busy_pause{100};
constexpr int most_busy = 20;

/// The lock in `sessions.lock` that all who send share; `Sessions` has others there.
constexpr std::int64_t sending_byte = 2;

/// What the platform may give as a web page. An edge's own pages come with the same status.
platform::Client::WebPage expected_page(const Upload& upload) {
  const std::string type = text::lower(upload.mime_type);
  const std::string name = text::lower(upload.name);
  const bool named_so = name.ends_with(".html") || name.ends_with(".htm");
  const bool page = type.empty() ? named_so : type.find("html") != std::string::npos;
  return page ? platform::Client::WebPage::expected : platform::Client::WebPage::unexpected;
}

/// A file of which more comes than was announced cannot be it.
std::size_t most_bytes(const Upload& upload) {
  if (!upload.size) return Files::largest_file;
  return std::min(Files::largest_file, static_cast<std::size_t>(*upload.size));
}

Clock::duration patience_after(int tries) {
  return std::min(most_patience, first_patience * (1 << std::clamp(tries - 1, 0, 12)));
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

Files::Files(platform::Client& client, const std::filesystem::path& state_folder,
             std::filesystem::path upload_folder, Clock& clock)
    : client_(client),
      store_(state_folder, clock),
      folder_(std::move(upload_folder)),
      clock_(clock),
      lock_(state_folder / "sessions.lock"),
      changed_(clock) {}

Files::Sending::Sending(Files& files) : files_(files) {
  // Refused only where there is no file, and then nobody can look.
  if (files_.sending_++ == 0) files_.lock_.share(sending_byte);
}

Files::Sending::~Sending() {
  if (--files_.sending_ == 0) files_.lock_.unlock(sending_byte);
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
  const Clock::time_point now = clock_.now();
  std::erase_if(waiting_, [now](const auto& one) { return one.second <= now; });
  const std::vector<FileStore::Pending> pending = store_.pending();
  for (const FileStore::Pending& one : pending) {
    // What came meanwhile goes before what failed already.
    if (due_) co_return;
    if (waiting_.contains(one.upload.file_id)) continue;
    co_await receive_one(one);
  }
}

awaitable<void> Files::receive_one(FileStore::Pending file) {
  bool here = !file.path.empty();
  if (!here && may_touch(file.upload.file_id)) here = co_await fetch(file);
  changed_.notify_all();
  if (here && may_touch(file.upload.file_id)) co_await acknowledge(file);
}

bool Files::may_touch(const std::string& file_id) {
  // In this order: who sends lets go after the store knows its files as our own.
  return sending_ == 0 && !lock_.locked_elsewhere(sending_byte) && store_.is_pending(file_id);
}

void Files::try_later(const FileStore::Pending& file) {
  waiting_[file.upload.file_id] = clock_.now() + patience_after(file.tries + 1);
  store_.tried(file.upload.file_id);
}

void Files::not_now(const FileStore::Pending& file, std::string_view why) {
  log::warning("the file {} was not received: {}; trying again",
               text::sanitize_name(file.upload.name), why);
  try_later(file);
}

awaitable<bool> Files::fetch(FileStore::Pending pending) {
  const Upload& upload = pending.upload;
  if (const auto made = files::make_private_folder(folder_); !made) {
    not_now(pending, made.error().message);
    co_return false;
  }
  const std::string name = received_name(upload.file_id, upload.name);
  std::filesystem::path path = folder_ / name;
  NewFile::remove_others(folder_, name);
  NewFile file(folder_, name);
  if (file.fd() < 0) {
    not_now(pending, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  const platform::Client::WebPage page = expected_page(upload);
  const std::size_t most = most_bytes(upload);
  auto fetched = co_await client_.fetch_upload(upload.file_id, file.fd(), most, page);
  const bool too_long =
      !fetched && fetched.error().code == platform::Errc::too_large && most < largest_file;
  if (too_long || (fetched && upload.size && *upload.size != file.size())) {
    wrong_size(pending, too_long ? "more" : fmt::to_string(file.size()));
    co_return false;
  }
  if (!fetched) {
    failed(pending, fetched.error());
    co_return false;
  }
  bool published = file.publish(path);
  if (!published && errno == EEXIST) {
    // Another process's, or the rest of one that was killed before it could record it, or a trap.
    path = folder_ / received_name(upload.file_id + random_token(6), upload.name);
    published = file.publish(path);
  }
  if (!published) {
    not_now(pending, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  bool first = false;
  try {
    first = store_.here(upload.file_id, path.string());
  } catch (const sqlite::Error& error) {
    // Other failures do not tell whether it was recorded.
    if (!error.busy()) file.keep();
    throw;
  }
  if (first) file.keep();
  co_return first;
}

void Files::failed(const FileStore::Pending& file, const platform::Error& error) {
  const bool gone = error.code == platform::Errc::not_found;
  if (!gone && error.code != platform::Errc::too_large) return not_now(file, error.message);
  if (gone) {
    store_.gone(file.upload.file_id);
  } else {
    store_.give_up(file.upload.file_id);
  }
  log::warning("the file {} cannot be received: {}", text::sanitize_name(file.upload.name),
               error.message);
}

void Files::wrong_size(const FileStore::Pending& file, std::string_view came) {
  const std::string why = fmt::format("{} bytes came instead of {}", came, *file.upload.size);
  if (file.tries + 1 < most_wrong_sizes) return not_now(file, why);
  store_.give_up(file.upload.file_id);
  log::warning("the file {} cannot be received: {}", text::sanitize_name(file.upload.name), why);
}

awaitable<void> Files::acknowledge(FileStore::Pending file) {
  auto done = co_await client_.ack_upload(file.upload.file_id);
  if (done || done.error().code == platform::Errc::not_found) {
    store_.acknowledged(file.upload.file_id);
  } else {
    log::debug("a received file was not acknowledged: {}", done.error().message);
    try_later(file);
  }
}

awaitable<void> Files::sent(std::vector<platform::UploadedFile> files) {
  std::vector<Upload> own;
  for (const platform::UploadedFile& file : files) {
    const auto id = pending_file_id(file.uri);
    if (id) own.push_back({.file_id = *id, .name = file.name, .size = file.size, .own = true});
  }
  int left = most_busy;
  while (!add_own(own, --left == 0)) co_await sleep_for(clock_, busy_pause);
}

/// False where it is worth another try.
bool Files::add_own(const std::vector<Upload>& own, bool last) {
  try {
    store_.add(own, {});
  } catch (const sqlite::Error& error) {
    if (error.busy() && !last) return false;
    log::warning("files: {}", error.what());
  }
  return true;
}

void Files::complete(Message& message) {
  try {
    store_.complete(message);
  } catch (const sqlite::Error& error) {
    log::warning("files: {}", error.what());
  }
}

}  // namespace molecule::workspace
