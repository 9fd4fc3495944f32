#include "mcp/host.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace molecule::mcp::test {

namespace {

const bool pipe_signal_ignored = [] {
  std::signal(SIGPIPE, SIG_IGN);
  return true;
}();

constexpr std::string_view object_schema = R"({ "type": "object",
  "properties": {} })";

awaitable<ToolResult> echo(Call& call, Bench& bench) {
  const auto meta = call.meta("note");
  if (meta) bench.seen_meta = std::string(*meta);
  ToolResult result{.text = call.arguments().dump()};
  co_return result;
}

awaitable<ToolResult> wait(Bench& bench) {
  ++bench.waiting;
  struct Left {
    Bench& bench;
    bool finished = false;
    ~Left() {
      --bench.waiting;
      if (finished) return;
      ++bench.cancelled;
      bench.cancelled_at = std::chrono::steady_clock::now();
    }
  };
  Left left{.bench = bench};
  while (!bench.open) co_await bench.released.wait();
  left.finished = true;
  ToolResult result{.text = "waited"};
  co_return result;
}

awaitable<ToolResult> fail() {
  throw std::runtime_error("on purpose");
  co_return ToolResult();
}

awaitable<ToolResult> progress(Call& call) {
  call.progress(1, 3, "first \n line");
  call.progress(1, 3, "not more than before");
  call.progress(2, std::nullopt, "");
  ToolResult result{.text = "done", .is_error = true};
  co_return result;
}

awaitable<ToolResult> structured(Call& call) {
  if (call.arguments()["fail"].present()) {
    ToolResult failure{.text = "no object", .is_error = true};
    co_return failure;
  }
  ToolResult result{.text = "{ \"n\":\n1 }"};
  co_return result;
}

int value_of(Descriptor& descriptor) {
  return descriptor.get();
}

void set_non_blocking(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Channel make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

Channel make_socket_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

ServerInfo make_server(Bench& bench) {
  const auto tool = [](std::string name, auto handler) {
    Tool result;
    result.name = std::move(name);
    result.title = "A title";
    result.description = "A description";
    result.input_schema = object_schema;
    result.handler = handler;
    return result;
  };
  ServerInfo server;
  server.name = "test";
  server.title = "Test";
  server.version = "1";
  server.instructions = "Be brief.";
  server.tools.push_back(tool("echo", [&bench](Call& call) { return echo(call, bench); }));
  server.tools.push_back(tool("wait", [&bench](Call&) { return wait(bench); }));
  server.tools.push_back(tool("fail", [](Call&) { return fail(); }));
  server.tools.push_back(tool("progress", [](Call& call) { return progress(call); }));
  server.tools.push_back(tool("structured", [](Call& call) { return structured(call); }));
  server.tools.front().annotations.read_only = true;
  server.tools.front().meta = "{ \"anthropic/alwaysLoad\": true }";
  server.tools.back().output_schema = object_schema;
  server.experimental = "{ \"claude/channel\": {} }";
  return server;
}

Host::Host(Kind kind, Limits limits, Clock* other_clock)
    : Host(kind == Kind::pipes ? make_pipe() : make_socket_pair(),
           kind == Kind::pipes ? make_pipe() : make_socket_pair(), limits, other_clock) {}

Host::Host(ServerInfo server, Limits limits)
    : Host(make_pipe(), make_pipe(), limits, nullptr, std::move(server)) {}

Host::Host(Channel input, Channel output, Limits limits, Clock* other_clock,
           std::optional<ServerInfo> server)
    : clock(other_clock != nullptr ? *other_clock : system_clock),
      bench(clock),
      input_(std::move(input)),
      output_(std::move(output)),
      to_session_(std::move(input_.write)),
      from_session_(std::move(output_.read)),
      session(loop.get_executor(), clock, server ? std::move(*server) : make_server(bench),
              value_of(input_.read), value_of(output_.write), limits),
      tasks_(loop.get_executor(), clock,
             [this](std::string_view, std::exception_ptr error) { failure_ = error; }) {
  if (to_session_.get() >= 0) set_non_blocking(to_session_.get());
  if (from_session_.get() >= 0) set_non_blocking(from_session_.get());
  tasks_.spawn("session", run_session());
}

Host::~Host() {
  tasks_.cancel_all();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (tasks_.size() > 0 && loop.run_one_until(deadline) != 0) {
  }
}

awaitable<void> Host::run_session() {
  try {
    const SessionEnd end = co_await session.run();
    end_ = end;
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Host::step(std::chrono::steady_clock::time_point deadline) {
  loop.restart();
  loop.run_one_for(std::chrono::milliseconds(5));
  if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("nothing came");
}

void Host::settle() {
  loop.restart();
  while (loop.poll() != 0) loop.restart();
}

void Host::send_bytes(std::string_view bytes) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!bytes.empty()) {
    const ssize_t sent = ::write(to_session_.get(), bytes.data(), bytes.size());
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else {
      if (errno != EAGAIN) throw std::runtime_error("the session reads no more");
      step(deadline);
    }
  }
}

void Host::send(std::string_view json) {
  send_bytes(std::string(json) + '\n');
}

bool Host::read_some() {
  std::array<char, 65536> chunk;
  const ssize_t count = ::read(from_session_.get(), chunk.data(), chunk.size());
  if (count <= 0) return false;
  received_.append(chunk.data(), static_cast<std::size_t>(count));
  return true;
}

Answer Host::receive() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::size_t end = received_.find('\n');
  while (end == std::string::npos) {
    const std::size_t searched = received_.size();
    if (!read_some()) step(deadline);
    end = received_.find('\n', searched);
  }
  Answer answer;
  answer.text = received_.substr(0, end);
  received_.erase(0, end + 1);
  REQUIRE_MESSAGE(answer.document.parse(answer.text).ok(), answer.text);
  return answer;
}

Answer Host::ask(std::string_view json) {
  send(json);
  return receive();
}

Answer Host::initialize(std::string_view revision) {
  Answer answer =
      ask(R"({"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":")" +
          std::string(revision) +
          R"(","capabilities":{},"clientInfo":{"name":"a host","version":"7"}}})");
  send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  return answer;
}

void Host::expect_silence() {
  const std::string id = "\"ping " + std::to_string(++pings_) + '"';
  const Answer answer = ask(R"({"jsonrpc":"2.0","method":"ping","id":)" + id + "}");
  CHECK(answer.text == R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{}})");
}

SessionEnd Host::wait_end() {
  until([this] { return ended(); });
  if (failure_) std::rethrow_exception(failure_);
  return *end_;
}

std::string Host::rest() {
  while (read_some()) {
  }
  return std::exchange(received_, {});
}

}  // namespace molecule::mcp::test
