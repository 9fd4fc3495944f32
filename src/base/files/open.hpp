#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace molecule::files {

/// Which file it is, whatever it is called.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const Identity&) const = default;
};

std::optional<Identity> identity(int fd);
/// Of what has that name itself: a link is not followed.
std::optional<Identity> identity(const std::filesystem::path& path);
/// False where the open file was removed, or another one has its name now: what is written to it
/// reaches nobody.
bool still_named(const std::filesystem::path& path, int fd);

enum class Links { refuse, follow };

/// Opens a regular file and nothing else, without ever waiting: a FIFO, a socket, a device, a
/// folder, and unless told otherwise a symbolic link are refused. A new file is 0600; an own one
/// that is opened for writing becomes so. Negative with errno set where it cannot; `reason` has
/// the text.
int open_regular(const std::filesystem::path& path, int flags, Links links = Links::refuse);
/// What a failed `open_regular` means, for people.
std::string reason(int code);

/// Whether the file's bytes lie on some storage: not in /proc, /sys or the like, whose files are
/// made of what the kernel knows, secrets of processes among it.
bool is_stored(int fd);

}  // namespace molecule::files
