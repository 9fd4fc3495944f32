#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "base/json/reader.hpp"
#include "fuzz/targets.hpp"
#include "fuzz/targets/server.hpp"
#include "molecule/mcp/session.hpp"
#include "support/virtual_clock.hpp"

namespace molecule::fuzz {

namespace {

/// An unlinked regular file. It never blocks, so the session needs no reader at the other end.
class File {
 public:
  File() : file_(std::tmpfile(), &std::fclose) { require(file_ != nullptr, "a file"); }
  int descriptor() const { return ::fileno(file_.get()); }

  void write(std::string_view bytes) {
    require(
        ::pwrite(descriptor(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
        "the file takes its bytes");
  }
  std::string read() {
    std::string bytes(static_cast<std::size_t>(::lseek(descriptor(), 0, SEEK_END)), '\0');
    require(
        ::pread(descriptor(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
        "the file gives its bytes");
    return bytes;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

void check_message(const molecule::json::Value& message) {
  require(message["jsonrpc"].string_or({}) == "2.0", "what is written is JSON-RPC 2.0");
  const bool asks = message["method"].is_string();
  const int outcomes = (message["result"].present() ? 1 : 0) + (message["error"].present() ? 1 : 0);
  require(asks ? outcomes == 0 : outcomes == 1, "a result, an error or a method");
  require(asks || message["id"].present(), "an answer has an id");
}

void check_output(std::string_view output) {
  require(output.empty() || output.back() == '\n', "the last line is whole");
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    molecule::json::Document document;
    const auto parsed = document.parse(output.substr(0, end));
    require(parsed.ok(), "every line is JSON");
    if (parsed->is_array()) {
      require(!parsed->items().empty(), "no batch is empty");
      for (const auto& message : parsed->items()) check_message(message);
    } else {
      check_message(*parsed);
    }
    output.remove_prefix(end + 1);
  }
}

/// Runs until the session has ended; time only advances to the session's own deadlines.
void finish(asio::io_context& loop, test::VirtualClock& clock, const bool& ended) {
  while (!ended) {
    loop.restart();
    if (loop.poll() > 0) continue;
    require(clock.next() != Clock::time_point::max(), "a session whose input ended ends");
    clock.advance(std::max(clock.next() - clock.now(), Clock::duration::zero()));
  }
}

}  // namespace

void dispatch(std::string_view input) {
  File from_host;
  File to_host;
  from_host.write(input);
  bool ended = false;
  std::exception_ptr failure;
  test::VirtualClock clock;
  {
    asio::io_context loop;
    // Small limits, so that inputs reach all of them.
    mcp::Limits limits{.line_bytes = 4096,
                       .queued_output_bytes = 4096,
                       .concurrent_calls = 16,
                       .page_entries = 3,
                       .concurrent_listens = 2,
                       .subscribed_resources = 2};
    mcp::Session session(loop.get_executor(), clock, make_server(clock), from_host.descriptor(),
                         to_host.descriptor(), limits);
    session.on_initialized = [&session](const mcp::ClientInfo&) {
      session.notify("notifications/claude/channel", R"({"content":"hello"})");
      session.log(mcp::LogLevel::error, "fuzzed", "hello");
      session.resource_updated("test://one");
    };
    asio::co_spawn(loop, session.run(), [&](std::exception_ptr error, mcp::SessionEnd) {
      failure = error;
      ended = true;
    });
    finish(loop, clock, ended);
  }
  if (failure) std::rethrow_exception(failure);
  check_output(to_host.read());
}

}  // namespace molecule::fuzz
