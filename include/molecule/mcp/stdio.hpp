#pragma once

namespace molecule::mcp {

/// Prepares the process's standard descriptors for a session (mcp-protocol.md 2):
/// - opens closed ones on /dev/null, so that no other file takes their numbers;
/// - keeps stdout for the session, and points descriptor 1 at stderr so that stray prints cannot
///   corrupt the protocol;
/// - ignores SIGPIPE.
///
/// The destructor restores the O_NONBLOCK flags, because the files behind the descriptors are often
/// shared with other processes (a terminal). Create one per process, before the event loop, and
/// keep it until the program ends.
class Stdio {
 public:
  /// Throws `std::system_error` if a descriptor cannot be opened or duplicated.
  Stdio();
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;
  ~Stdio();

  /// The descriptor to read from.
  int input() const { return 0; }
  /// The descriptor to write to: the original stdout. Owned by this object and close-on-exec, so
  /// child processes do not inherit it.
  int output() const { return output_; }

 private:
  int output_;
  int input_flags_;
  int output_flags_;
};

}  // namespace molecule::mcp
