#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace molecule::bench {

/// A child process with pipes at stdin and stdout. All functions block; failures throw and end the
/// benchmark.
class Child {
 public:
  /// Uses posix_spawn, which copies no page tables, so that the program's own start is measured.
  /// `input` is in the pipe before the program starts.
  explicit Child(std::vector<std::string> command, std::string_view input = "");
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Closes stdin and waits for the process to exit.
  ~Child();

  void write(std::string_view bytes);
  /// The next line of stdout without the newline, valid until the next call.
  std::string_view read_line();
  /// Reads until the response to request `id` arrives, skipping other lines.
  void read_answer(long id);
  /// Writes all of `bytes` while reading, until `answers` successful ones have arrived.
  void exchange(std::string_view bytes, long answers);
  /// Waits for a process that exits by itself.
  void wait();

 private:
  bool fill();

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string buffer_;
  std::size_t start_ = 0;
};

}  // namespace molecule::bench
