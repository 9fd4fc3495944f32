#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace molecule::process {

/// Asks the system to send `signal` to this process when its parent ends. On Linux the signal
/// also comes when only the parent's thread that started this process ends, so that whoever gets
/// it asks `has_parent` first. False where the system cannot do it (macOS): ask `has_parent` from
/// time to time instead.
bool signal_at_parent_death(int signal);

/// Opens /dev/null in place of standard streams that are closed, so that no file or socket gets
/// their numbers, which people print into. Throws `std::system_error` where it cannot.
void open_standard_streams();

/// The parent of this moment.
pid_t parent();

/// Whether `parent` (of an earlier moment) still is this process's parent.
bool has_parent(pid_t parent);

/// Lets this process open as many files as the system allows it (RLIMIT_NOFILE, the soft limit);
/// gives that number.
std::uint64_t raise_open_files_limit();

/// A write to a pipe that nobody reads, and one beyond the file-size limit, fail (EPIPE, EFBIG)
/// instead of ending the process.
void survive_failed_writes();

/// Those of SIGINT, SIGTERM and SIGHUP that shall end this process. SIGINT and SIGHUP stay ignored
/// where they were at the start, as by nohup or in a shell's background.
std::vector<int> end_signals();

/// Memory holds tokens: it is neither dumped at a crash nor read by other processes of the user,
/// unless MOLECULE_ALLOW_CORE_DUMPS is set.
void keep_memory_private();

/// From now on SIGINT, SIGTERM and SIGHUP do nothing: for a process that is ending already, and
/// whose exit code shall say why.
void hold_end_signals();

}  // namespace molecule::process
