#pragma once

namespace molecule::mcp {

/// The process's standard descriptors while a session is served on them (mcp-protocol.md 2):
/// closed ones are opened on /dev/null, so that nothing else takes their numbers; nothing but the
/// session reaches stdout, because descriptor 1 is pointed at stderr; SIGPIPE is ignored.
///
/// The files behind them are often shared with other processes (a terminal), so the end restores
/// their O_NONBLOCK flags. One for the life of the program; made before the loop.
class Stdio {
 public:
  /// Throws `std::system_error` where a descriptor cannot be made.
  Stdio();
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;
  ~Stdio();

  int input() const { return 0; }
  /// The true stdout; not inherited by child processes.
  int output() const { return output_; }

 private:
  int output_;
  int input_flags_;
  int output_flags_;
};

}  // namespace molecule::mcp
