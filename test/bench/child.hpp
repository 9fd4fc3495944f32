#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace molecule::bench {

/// A program that was started with pipes at its stdin and stdout. Everything here blocks; what
/// goes wrong throws, and ends the benchmark.
class Child {
 public:
  /// By posix_spawn, which copies no page tables: what is measured is the program's start.
  /// `input` lies in its stdin already when it starts.
  explicit Child(std::vector<std::string> command, std::string_view input = "");
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Closes its stdin and waits for its end.
  ~Child();

  void write(std::string_view bytes);
  /// The next line of its stdout without the newline, valid until the next call.
  std::string_view read_line();
  /// Reads until the answer to request `id` has come; other lines are skipped.
  void read_answer(long id);
  /// Writes all of `bytes` while reading, until so many good answers have come.
  void exchange(std::string_view bytes, long answers);
  /// Waits for the end of a program that ends by itself.
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
