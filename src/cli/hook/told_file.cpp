#include "cli/hook/told_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <system_error>

#include "base/files/files.hpp"
#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;

workspace::Told read_told(json::Value value) {
  workspace::Told told;
  told.newest = value["newest"].integer().value_or(0);
  for (const json::Value one : value["passed_over"].items()) {
    if (const auto seq = one.integer()) told.passed_over.push_back(*seq);
  }
  return told;
}

void write_told(json::Object& object, std::string_view name, const workspace::Told& told) {
  auto o = object.object(name);
  o.field("newest", told.newest);
  auto list = o.array("passed_over");
  for (const std::int64_t seq : told.passed_over) list.value(seq);
}

}  // namespace

ToldFile::ToldFile(const fs::path& state_folder, std::string_view session)
    : path_(state_folder / ".hooks" / (derived_uuid("hook session", session) + ".json")) {
  const auto content = files::read(path_);
  json::Document document;
  if (!content.ok() || !document.parse(*content).ok()) return;
  told = read_told(document.root()["told"]);
  held_up = read_told(document.root()["held_up"]);
}

void ToldFile::write() const {
  json::Writer writer;
  {
    auto o = writer.object();
    write_told(o, "told", told);
    write_told(o, "held_up", held_up);
  }
  const std::string content = std::move(writer).take();
  ::mkdir(path_.parent_path().c_str(), 0700);
  const fs::path temporary = path_.string() + "." + random_token(6);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool written =
      ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  ::close(fd);
  if (!written || ::rename(temporary.c_str(), path_.c_str()) != 0) ::unlink(temporary.c_str());
}

void ToldFile::remove_old() const {
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::days(7);
  std::error_code failure;
  fs::directory_iterator entry(path_.parent_path(), failure);
  while (!failure && entry != fs::directory_iterator()) {
    std::error_code ignored;
    if (entry->last_write_time(ignored) < oldest && !ignored) fs::remove(entry->path(), ignored);
    entry.increment(failure);
  }
}

}  // namespace molecule::cli
