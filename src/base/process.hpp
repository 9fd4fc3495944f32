#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace molecule::process {

/// Asks the system to send `signal` to this process when its parent ends. On Linux the signal also
/// comes when only the thread that started this process ends, so check `has_parent` on receipt.
/// Returns false if the system cannot do it (macOS): poll `has_parent` instead.
bool signal_at_parent_death(int signal);

/// Opens /dev/null on standard streams that are closed, so that no file or socket gets their
/// numbers and receives output. Throws `std::system_error` on failure.
void open_standard_streams();

/// The path of the running program.
std::string own_program();

/// The current parent.
pid_t parent();

/// True if `parent`, taken earlier, is still this process's parent.
bool has_parent(pid_t parent);

/// Gives memory that is no longer used back to the system, where it would stay with the process.
void release_memory();

/// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard limit. Returns the new limit.
std::uint64_t raise_open_files_limit();

/// Makes writes to a closed pipe, and beyond the file-size limit, fail (EPIPE, EFBIG) instead of
/// killing the process.
void survive_failed_writes();

/// The signals that end this process: SIGTERM, and SIGINT and SIGHUP unless they were ignored at
/// the start, as they are under nohup or in the background of a shell.
std::vector<int> end_signals();

/// Prevents core dumps, and access by other processes of the user, because memory contains tokens.
/// Does nothing if MOLECULE_ALLOW_CORE_DUMPS is set.
void keep_memory_private();

/// Blocks SIGINT, SIGTERM and SIGHUP from now on, for a process that is already ending and whose
/// exit code must say why.
void hold_end_signals();

}  // namespace molecule::process
