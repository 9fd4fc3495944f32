#include "app/platform/backup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "app/platform/data_folder.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text/time.hpp"
#include "server/store/backup/backup.hpp"

namespace molecule::app {

namespace {

namespace store = server::store;

/// One line of a terminal, which is written over and removed at the end.
class ProgressLine {
 public:
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (shown_) write("\r\033[K");
  }

  void show(const char* what, std::int64_t done, std::int64_t all) {
    if (!terminal_ || all <= 0) return;
    const std::string line = fmt::format("\r\033[K{}: {} %", what, done * 100 / all);
    if (line == last_) return;
    write(line);
    last_ = line;
    shown_ = true;
  }

 private:
  static void write(std::string_view text) {
    // Ignore write errors: the terminal is gone.
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  }

  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::string last_;
};

std::string as_json(const std::filesystem::path& file, const store::BackupSummary& summary) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("file", file.string());
    out.field("bytes", summary.bytes);
    out.field("version", summary.version);
    out.field("made_at", format_rfc3339(from_micros(summary.made_at)));
    out.field("schema", summary.schema);
    out.field("workspaces", summary.workspaces);
    out.field("messages", summary.messages);
    out.field("files", summary.files);
    out.field("missing_files", summary.missing_files);
  }
  return std::move(writer).take() + "\n";
}

std::string as_text(const store::BackupSummary& summary) {
  return fmt::format("{} workspaces, {} messages, {} waiting files", summary.workspaces,
                     summary.messages, summary.files);
}

/// PostgreSQL has tools of its own, which know its roles and extensions.
bool is_elsewhere(const PlatformOptions& options) {
  if (options.store.empty()) return false;
  log::error(
      "--store is a PostgreSQL database: copy it by pg_dump and pg_restore, and the folder of "
      "--uploads beside it");
  return true;
}

bool print(const PlatformOptions& options, const store::BackupSummary& summary,
           const std::string& text) {
  return output::print(options.json ? as_json(options.backup, summary) : text);
}

}  // namespace

int make_backup(const PlatformOptions& options) {
  if (is_elsewhere(options)) return 1;
  const auto made = [&] {
    ProgressLine line;
    return store::back_up({.database = DataFolder::database(options.data),
                           .uploads = DataFolder::uploads(options.data)},
                          options.backup,
                          [&line](const char* what, std::int64_t done, std::int64_t all) {
                            line.show(what, done, all);
                          });
  }();
  if (!made) {
    log::error("no backup was made: {}", made.error());
    return 1;
  }
  const std::string text =
      fmt::format("{}: {}, {} bytes\n", options.backup.string(), as_text(*made), made->bytes);
  return print(options, *made, text) ? 0 : 1;
}

int restore_backup(const PlatformOptions& options) {
  if (is_elsewhere(options)) return 1;
  // Before anything is made: a mistyped name must not leave a data folder behind.
  const auto checked = store::check_backup(options.backup);
  if (!checked) {
    log::error("nothing was restored: {}", checked.error());
    return 1;
  }
  const auto folder = DataFolder::open(options.data);
  if (!folder) {
    log::error("nothing was restored: {}", folder.error());
    return 1;
  }
  std::error_code failure;
  if (std::filesystem::exists(folder->database(), failure) && !options.force) {
    log::error("nothing was restored: {} exists: --force replaces it, and what is in it is lost",
               folder->database().string());
    return 1;
  }
  const auto restored = [&] {
    ProgressLine line;
    return store::restore(options.backup,
                          {.database = folder->database(), .uploads = folder->uploads()},
                          [&line](const char* what, std::int64_t done, std::int64_t all) {
                            line.show(what, done, all);
                          });
  }();
  if (!restored) {
    log::error("nothing was restored: {}", restored.error());
    return 1;
  }
  const std::string text = fmt::format(
      "{}: {}, of {}, by molecule-platform {}\n", options.data.string(), as_text(*restored),
      format_rfc3339(from_micros(restored->made_at)), restored->version);
  return print(options, *restored, text) ? 0 : 1;
}

}  // namespace molecule::app
