#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace molecule::files {

/// Identifies a file independently of its name.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const Identity&) const = default;
};

std::optional<Identity> identity(int fd);
/// Does not follow a symbolic link.
std::optional<Identity> identity(const std::string& path);
/// What tells one content of a file from another, without reading it.
struct Fingerprint {
  Identity identity;
  off_t size = 0;
  /// When it was last written, in nanoseconds.
  std::int64_t written = 0;
  auto operator<=>(const Fingerprint&) const = default;
};
/// Does not follow a symbolic link. Empty if there is no such file.
std::optional<Fingerprint> fingerprint(const std::string& path);
/// False if the open file was removed or another file has its name: nobody would see what is
/// written to it.
bool still_named(const std::string& path, int fd);

enum class Links { refuse, follow };

/// Opens a regular file without ever blocking. Refuses FIFOs, sockets, devices and folders, and
/// symbolic links unless `links` allows them. A new file gets mode 0600, and so does an existing
/// one of the user's that is opened for writing. On failure returns a negative number and sets
/// errno; `reason` has the text.
int open_regular(const std::string& path, int flags, Links links = Links::refuse);
/// The text for the errno of a failed `open_regular`.
std::string reason(int code);

/// True if the file's bytes are stored somewhere. False in /proc, /sys and the like, whose content
/// the kernel generates, secrets of processes included.
bool is_stored(int fd);

/// Puts the file's content on the disk, and what is needed to find it. False on failure, with errno
/// (EINVAL: it cannot be synced, like a pipe). On macOS, fsync alone leaves it in the drive's
/// cache.
bool sync(int fd);

}  // namespace molecule::files
