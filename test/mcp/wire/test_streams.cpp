#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "mcp/host.hpp"
#include "support/virtual_clock.hpp"

namespace molecule::mcp::test {

namespace {

using std::chrono::milliseconds;

std::string ping(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"ping"})";
}

std::string pong(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{}})";
}

std::string call(int id, const std::string& tool, const std::string& text = "") {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":{"a":")" + text +
         "\"}}}";
}

Descriptor open_file(const char* path, int flags) {
  Descriptor file(::open(path, flags | O_CLOEXEC));
  REQUIRE(file.get() >= 0);
  return file;
}

/// An unlinked regular file that contains `text`, positioned at its start.
Descriptor file_with(std::string_view text) {
  std::string path = "/tmp/molecule_mcp_test_XXXXXX";
  Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
  REQUIRE(file.get() >= 0);
  ::unlink(path.c_str());
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Channel input_only(Descriptor read) {
  return {.read = std::move(read), .write = Descriptor()};
}
Channel output_only(Descriptor write) {
  return {.read = Descriptor(), .write = std::move(write)};
}

void open_bench(Host& host) {
  host.bench.open = true;
  host.bench.released.notify_all();
}

/// Writes pings until the session stops reading; returns how many fitted (the last one in part).
int send_until_full(Host& host, int to_session) {
  std::string pending;
  int id = 0;
  int refused = 0;
  while (refused < 20) {
    if (pending.empty()) pending = ping(id++) + '\n';
    const ssize_t sent = ::write(to_session, pending.data(), pending.size());
    if (sent < 0) {
      host.settle();
      ++refused;
    } else {
      pending.erase(0, static_cast<std::size_t>(sent));
      refused = 0;
    }
    if (id == 1000000) break;
  }
  return id;
}

}  // namespace

TEST_CASE("a regular file is read to its end, even without a final line ending") {
  std::string input;
  for (int i = 0; i < 5000; ++i) input += ping(i) + '\n';
  Host host(input_only(file_with(input + ping(5000))), make_pipe());
  for (int i = 0; i <= 5000; ++i) REQUIRE(host.receive().text == pong(i));
  CHECK(host.wait_end() == SessionEnd::end_of_input);
}

TEST_CASE("/dev/null as input ends the session at once") {
  Host host(input_only(open_file("/dev/null", O_RDONLY)), make_pipe());
  CHECK(host.wait_end() == SessionEnd::end_of_input);
  CHECK(host.rest().empty());
}

TEST_CASE("output can go to regular files and /dev/null") {
  Host null(input_only(file_with(ping(1))), output_only(open_file("/dev/null", O_WRONLY)));
  CHECK(null.wait_end() == SessionEnd::end_of_input);

  Descriptor file = file_with("");
  const Descriptor copy(::dup(file.get()));
  Host host(input_only(file_with(ping(1) + "\r\n" + ping(2))), output_only(std::move(file)));
  CHECK(host.wait_end() == SessionEnd::end_of_input);
  std::string written(100, '\0');
  written.resize(static_cast<std::size_t>(::pread(copy.get(), written.data(), 100, 0)));
  CHECK(written == pong(1) + '\n' + pong(2) + '\n');
}

TEST_CASE("a full disk ends the session like a closed reader") {
  Host host(input_only(file_with(ping(1))), output_only(open_file("/dev/full", O_WRONLY)));
  CHECK(host.wait_end() == SessionEnd::output_closed);
}

TEST_CASE("sockets, and one socket for both directions") {
  Host host(Host::Kind::sockets);
  CHECK(host.ask(ping(1)).text == pong(1));
  host.close_input();
  CHECK(host.wait_end() == SessionEnd::end_of_input);

  Channel pair = make_socket_pair();
  const Descriptor peer = std::move(pair.read);
  const int both = pair.write.get();
  asio::io_context loop;
  SystemClock clock;
  Bench bench(clock);
  Session session(loop.get_executor(), clock, make_server(bench), both, both);
  const std::string line = ping(1) + '\n';
  REQUIRE(::write(peer.get(), line.data(), line.size()) > 0);
  ::shutdown(peer.get(), 1);
  std::optional<SessionEnd> end;
  asio::co_spawn(loop, session.run(), [&end](std::exception_ptr, SessionEnd how) { end = how; });
  loop.run();
  CHECK(end == SessionEnd::end_of_input);
  std::string answer(100, '\0');
  answer.resize(static_cast<std::size_t>(::read(peer.get(), answer.data(), 100)));
  CHECK(answer == pong(1) + '\n');
}

TEST_CASE("a terminal as input and output") {
  int master = -1;
  int slave = -1;
  termios raw{};
  ::cfmakeraw(&raw);
  REQUIRE(::openpty(&master, &slave, nullptr, &raw, nullptr) == 0);
  Host host(Channel{.read = Descriptor(slave), .write = Descriptor(::dup(master))},
            Channel{.read = Descriptor(master), .write = Descriptor(::dup(slave))});
  CHECK(host.ask(ping(1)).text == pong(1));
  host.close_input();
  host.close_output();
  (void)host.wait_end();
}

TEST_CASE("a stalled reader costs bounded memory, and no answer is lost or torn") {
  Channel input = make_pipe();
  const Descriptor writer(::dup(input.write.get()));
  Host host(std::move(input), make_pipe(), {.queued_output_bytes = 16 << 10});
  const int sent = send_until_full(host, writer.get());
  // At most what fits into both pipes, one read and the queue: far below a million.
  CHECK(sent > 1000);
  CHECK(sent < 20000);
  for (int i = 0; i + 1 < sent; ++i) REQUIRE(host.receive().text == pong(i));
}

TEST_CASE("ten thousand pipelined pings are all answered, in order") {
  Host host;
  std::string input;
  for (int i = 0; i < 10000; ++i) input += ping(i) + '\n';
  host.send_bytes(input);
  for (int i = 0; i < 10000; ++i) REQUIRE(host.receive().text == pong(i));
}

TEST_CASE("answers longer than their requests are bounded too") {
  Host host(Host::Kind::pipes, {.queued_output_bytes = 1 << 10});
  std::string input;
  for (int i = 0; i < 1000; ++i) {
    input += R"({"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"method":"tools/list"})" + '\n';
  }
  host.send_bytes(input);
  host.settle();
  std::size_t longest = 0;
  for (int i = 0; i < 1000; ++i) {
    const Answer answer = host.receive();
    REQUIRE(answer["id"].integer() == i);
    longest = std::max(longest, answer.text.size());
  }
  CHECK(longest > 500);
}

TEST_CASE("a push is dropped while the queue is full, and never torn") {
  Host host(Host::Kind::pipes, {.queued_output_bytes = 100 << 10});
  (void)host.initialize();
  host.expect_silence();
  const std::string params = R"({"content":")" + std::string(10000, 'x') + "\"}";
  for (int i = 0; i < 1000; ++i) {
    host.session.notify("notifications/x", params);
    host.settle();
  }
  int pushes = 0;
  host.send(ping(1));
  while (host.receive()["id"].integer() != 1) ++pushes;
  CHECK(pushes >= 10);
  CHECK(pushes < 30);
}

TEST_CASE("calls over the limit wait for earlier ones") {
  Host host(Host::Kind::pipes, {.concurrent_calls = 3});
  for (int i = 0; i < 10; ++i) host.send(call(i, "wait"));
  host.settle();
  CHECK(host.bench.waiting == 3);
  open_bench(host);
  for (int i = 0; i < 10; ++i) CHECK(host.receive()["result"].present());
  CHECK(host.ask(ping(1)).text == pong(1));
}

TEST_CASE("a line over the limit is rejected, the next one and one below the limit are served") {
  Host host;
  host.send(call(1, "echo", std::string(16 << 20, 'x')));
  const Answer refused = host.receive();
  CHECK(refused.code() == -32600);
  CHECK(refused["id"].is_null());
  CHECK(host.ask(ping(1)).text == pong(1));
  const Answer large = host.ask(call(2, "echo", std::string(15 << 20, 'x')));
  CHECK(large["id"].integer() == 2);
  CHECK(large.text.size() > (15 << 20));
  CHECK(host.ask(ping(2)).text == pong(2));
}

TEST_CASE("end of input: quick calls are answered, waiting ones are cancelled") {
  molecule::test::VirtualClock clock;
  Host host(Host::Kind::pipes, {}, &clock);
  host.send(call(1, "wait"));
  host.send_bytes(ping(2));
  host.close_input();
  CHECK(host.receive().text == pong(2));
  clock.advance(milliseconds(40));
  host.settle();
  CHECK_FALSE(host.ended());
  open_bench(host);
  CHECK(host.receive()["id"].integer() == 1);
  CHECK(host.wait_end() == SessionEnd::end_of_input);
  CHECK(host.bench.cancelled == 0);

  Host other(Host::Kind::pipes, {}, &clock);
  other.send(call(1, "wait"));
  other.close_input();
  other.until([&other] { return other.bench.waiting == 1; });
  other.settle();
  CHECK_FALSE(other.ended());
  clock.advance(milliseconds(50));
  CHECK(other.wait_end() == SessionEnd::end_of_input);
  CHECK(other.bench.cancelled == 1);
  CHECK(other.rest().empty());
}

TEST_CASE("end of input: an active reader gets everything") {
  Host host;
  const std::string text(1 << 20, 'x');
  host.send(call(1, "echo", text));
  host.send(call(2, "echo", text));
  host.close_input();
  CHECK(host.receive()["id"].integer() == 1);
  CHECK(host.receive()["id"].integer() == 2);
  CHECK(host.wait_end() == SessionEnd::end_of_input);
}

TEST_CASE("end of input: a stalled reader is not waited for") {
  molecule::test::VirtualClock clock;
  Host host(Host::Kind::pipes, {}, &clock);
  host.send(call(1, "echo", std::string(1 << 20, 'x')));
  host.close_input();
  host.settle();
  CHECK_FALSE(host.ended());
  clock.advance(milliseconds(79));
  host.settle();
  CHECK_FALSE(host.ended());
  clock.advance(milliseconds(1));
  CHECK(host.wait_end() == SessionEnd::end_of_input);
}

TEST_CASE("a closed reader is noticed even if nothing is written") {
  for (const Host::Kind kind : {Host::Kind::pipes, Host::Kind::sockets}) {
    Host host(kind);
    host.send(call(1, "wait"));
    host.until([&host] { return host.bench.waiting == 1; });
    host.close_output();
    CHECK(host.wait_end() == SessionEnd::output_closed);
    CHECK(host.bench.cancelled == 1);
  }
}

TEST_CASE("a closed reader ends the session even with output queued") {
  Host host;
  host.send(call(1, "echo", std::string(1 << 20, 'x')));
  host.send(call(2, "wait"));
  host.until([&host] { return host.bench.waiting == 1; });
  host.close_output();
  CHECK(host.wait_end() == SessionEnd::output_closed);
}

TEST_CASE("cancelling the session cancels its calls and throws") {
  molecule::test::VirtualClock clock;  // Never advanced: nothing times out.
  Host host(Host::Kind::pipes, {}, &clock);
  host.send(call(1, "wait"));
  host.send(call(2, "echo", std::string(1 << 20, 'x')));
  host.until([&host] { return host.bench.waiting == 1; });
  host.settle();
  CHECK(host.rest().size() > 10000);
  host.cancel();
  CHECK_THROWS_AS((void)host.wait_end(), std::system_error);
  CHECK(host.bench.cancelled == 1);
  // Reading the output before the cancellation made room for more.
  CHECK(host.rest().size() > 10000);
}

TEST_CASE("a session can be cancelled at any point") {
  for (int turns = 0; turns < 60; ++turns) {
    Host host(Host::Kind::pipes, {.queued_output_bytes = 100, .concurrent_calls = 2});
    std::string input;
    for (int i = 0; i < 5; ++i)
      input += ping(i) + '\n' + call(10 + i, i > 2 ? "wait" : "echo") + '\n';
    host.send_bytes(input);
    if (turns % 2 == 0) host.close_input();
    for (int i = 0; i < turns; ++i) host.loop.poll_one();
    host.cancel();
    host.until([&host] { return host.ended(); });
    CHECK(host.bench.waiting == 0);
  }
}

}  // namespace molecule::mcp::test
