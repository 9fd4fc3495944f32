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
#include "workspace/store/retry_while_busy.hpp"

namespace molecule::workspace {

namespace {

constexpr std::size_t max_name_bytes = 100;
constexpr std::size_t max_extension_bytes = 16;

/// How often the platform may send a file that is not of the announced size.
constexpr int max_wrong_sizes = 5;

/// The byte of `sessions.lock` that all senders share; `Sessions` has others there.
constexpr std::int64_t sending_byte = 2;

/// An uploaded web page is expected; any other page comes from an edge, with the same status.
platform::Client::WebPage expected_page(const Upload& upload) {
  const std::string type = text::lower(upload.mime_type);
  const std::string name = text::lower(upload.name);
  const bool named_so = name.ends_with(".html") || name.ends_with(".htm");
  const bool page = type.empty() ? named_so : type.find("html") != std::string::npos;
  return page ? platform::Client::WebPage::expected : platform::Client::WebPage::unexpected;
}

/// More bytes than were announced: it cannot be that file.
std::size_t max_bytes(const Upload& upload) {
  if (!upload.size) return Files::max_file_bytes;
  return std::min(Files::max_file_bytes, static_cast<std::size_t>(*upload.size));
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
  const std::size_t room = max_name_bytes - prefix.size();
  if (safe.size() <= room) return prefix + safe;
  const std::size_t dot = safe.rfind('.');
  const bool short_enough = dot != std::string::npos && safe.size() - dot <= max_extension_bytes;
  const std::string extension = short_enough ? safe.substr(dot) : std::string();
  prefix += text::prefix_bytes(safe, room - extension.size());
  return prefix + extension;
}

Files::Files(platform::Client& client, const std::filesystem::path& state_folder,
             std::filesystem::path upload_folder, Clock& clock, const Timing& timing)
    : client_(client),
      store_(state_folder, clock, timing),
      folder_(std::move(upload_folder)),
      clock_(clock),
      timing_(timing),
      lock_(state_folder / "sessions.lock"),
      changed_(clock) {}

Files::Sending::Sending(Files& files) : files_(files) {
  // Fails only without a lock file, and then nobody else can look either.
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
  const Clock::time_point deadline = clock_.now() + timing_.file_wait;
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
    } catch (const StoreError& error) {
      log::warning("files: {}; trying again", error.what());
    }
  }
}

awaitable<void> Files::fetch_all() {
  const Clock::time_point now = clock_.now();
  std::erase_if(waiting_, [now](const auto& one) { return one.second <= now; });
  const std::vector<FileStore::Pending> pending = store_.pending();
  for (const FileStore::Pending& one : pending) {
    // New files go before those that failed already.
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
  // In this order: a sender releases the lock after the store knows its files as our own.
  return sending_ == 0 && !lock_.locked_elsewhere(sending_byte) && store_.is_pending(file_id);
}

/// Doubled after each failure.
Clock::duration Files::patience_after(int tries) const {
  const Clock::duration grown = timing_.file_min_retry * (1 << std::clamp(tries - 1, 0, 12));
  return std::min<Clock::duration>(timing_.file_max_retry, grown);
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
  const std::filesystem::path folder = folder_;
  std::filesystem::path path = folder / name;
  NewFile::remove_others(folder_, name);
  NewFile file(folder_, name);
  if (file.fd() < 0) {
    not_now(pending, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  const platform::Client::WebPage page = expected_page(upload);
  const std::size_t limit = max_bytes(upload);
  auto fetched = co_await client_.fetch_upload(upload.file_id, file.fd(), limit, page);
  const bool too_long =
      !fetched && fetched.error().code == platform::Errc::too_large && limit < max_file_bytes;
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
    // Another process made it, or one that was killed before it could record it, or it is a trap.
    path = folder / received_name(upload.file_id + random_token(6), upload.name);
    published = file.publish(path);
  }
  if (!published) {
    not_now(pending, fmt::format("{}: {}", path.string(), std::strerror(errno)));
    co_return false;
  }
  bool first = false;
  try {
    first = store_.here(upload.file_id, path.string());
  } catch (const StoreError& error) {
    // After any other failure it may have been recorded.
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
  if (file.tries + 1 < max_wrong_sizes) return not_now(file, why);
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
  const auto add = [this, &own] {
    const Database::FailFast fail_fast(store_.database());
    store_.add(own, {});
    return true;
  };
  try {
    co_await retry_while_busy(clock_, timing_, add);
  } catch (const StoreError& error) {
    log::warning("files: {}", error.what());
  }
}

void Files::complete(Message& message) {
  try {
    store_.complete(message);
  } catch (const StoreError& error) {
    log::warning("files: {}", error.what());
  }
}

}  // namespace molecule::workspace
