#include "tools/sending/attachments.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/files/open.hpp"
#include "base/text/text.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::tools {

namespace {

/// More than any platform takes. Looking at each takes the loop some 0.1 ms.
constexpr std::size_t max_files = 256;

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::array<Entry, 42> types{{
    {"7z", "application/x-7z-compressed"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"heic", "image/heic"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ics", "text/calendar"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ogg", "audio/ogg"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"py", "text/x-python"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tiff", "image/tiff"},
    {"txt", "text/plain"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"zip", "application/zip"},
}};

struct Measured {
  std::int64_t bytes = 0;
  files::Identity identity = {};
  /// Empty if the file can be sent.
  std::string problem = {};
};

Measured measure(const std::string& path, const workspace::WorkspaceConfig& sender) {
  const int fd = files::open_regular(path, O_RDONLY, files::Links::follow);
  if (fd < 0 && errno == EISDIR) return {.problem = "it is not a regular file"};
  if (fd < 0) return {.problem = files::reason(errno)};
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0;
  const bool stored = files::is_stored(fd);
  ::close(fd);
  if (!known || !stored) return {.problem = "it is no stored file"};
  const files::Identity identity{.device = status.st_dev, .inode = status.st_ino};
  if (workspace::is_own_file(sender, identity)) {
    return {.problem = "it is among this program's own files, which hold secrets"};
  }
  return {.bytes = status.st_size, .identity = identity};
}

std::string cannot_be_attached(const std::string& path, std::string_view problem) {
  return fmt::format("{} cannot be attached: {}", text::one_line(path), problem);
}

std::string too_many(std::size_t max, std::size_t found) {
  return fmt::format("at most {} files can be attached, not {}", max, found);
}

std::string in_mebibytes(std::int64_t bytes) {
  return fmt::format("{:.4g} MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

std::string_view mime_type(std::string_view filename) {
  const std::size_t dot = filename.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string extension = text::lower(filename.substr(dot + 1));
    const auto found = std::ranges::find(types, std::string_view(extension), &Entry::first);
    if (found != types.end()) return found->second;
  }
  return "application/octet-stream";
}

Result<std::vector<LocalFile>, std::string> find_files(const std::vector<std::string>& paths,
                                                       const workspace::WorkspaceConfig& sender) {
  std::vector<LocalFile> files;
  if (paths.size() > max_files) return Failure{too_many(max_files, paths.size())};
  for (const std::string& path : paths) {
    const auto refused = [&path](std::string_view problem) {
      return Failure{cannot_be_attached(path, problem)};
    };
    if (!path.starts_with('/')) return refused("the path must be absolute");
    if (path.find('\0') != std::string::npos) return refused("the path is not valid");
    const Measured file = measure(path, sender);
    if (!file.problem.empty()) return refused(file.problem);
    const std::string name = text::one_line(std::filesystem::path(path).filename().string());
    net::FormFile form{.field = "files",
                       .path = path,
                       .filename = name,
                       .mime_type = std::string(mime_type(name)),
                       .identity = file.identity,
                       .size = file.bytes};
    files.push_back({.form = std::move(form), .bytes = file.bytes});
  }
  return files;
}

std::string over_limits(const std::vector<LocalFile>& files, const platform::UploadLimits& limits) {
  if (std::ssize(files) > limits.files) {
    return too_many(static_cast<std::size_t>(limits.files), files.size());
  }
  std::int64_t total = 0;
  for (const LocalFile& file : files) {
    const std::string& path = file.form.path.native();
    if (file.bytes > limits.file_bytes) {
      return cannot_be_attached(
          path, fmt::format("it has more than {}", in_mebibytes(limits.file_bytes)));
    }
    total += file.bytes;
    if (total > limits.total_bytes) {
      return cannot_be_attached(path, fmt::format("all files together have more than {}",
                                                  in_mebibytes(limits.total_bytes)));
    }
  }
  return {};
}

}  // namespace molecule::tools
