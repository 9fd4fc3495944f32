#include "workspace/files/files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "workspace/fixture.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;
using namespace std::chrono_literals;

namespace {

std::string content_call(int number) {
  return fmt::format("GET /workspaces/{}/pending-uploads/{}/content", test::self_id,
                     activity_id(number));
}

std::string ack_call(int number) {
  return fmt::format("POST /workspaces/{}/pending-uploads/{}/ack", test::self_id,
                     activity_id(number));
}

Upload upload(int number, std::int64_t size) {
  return {.file_id = activity_id(number), .name = "a.txt", .size = size};
}

Message message_with(int number) {
  Message with = message(1000 + number);
  with.attachments.push_back(
      {.uri = fmt::format("platform-pending:{}/{}", test::self_id, activity_id(number)),
       .name = "a.txt",
       .mime_type = "text/plain"});
  return with;
}

struct Fixture : test::Fixture {
  Files files{client, folder.path(), folder.path() / "uploads", clock, test::timing};

  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { end_tasks(); }

  void start() { tasks.spawn("files", files.run()); }
  void arrive(int number, std::int64_t size) {
    tasks.spawn("receive", files.receive({upload(number, size)}, {message_with(number)}));
  }
  /// A poll brings nothing new every 5 s.
  static awaitable<void> poll(Files& files, Clock& clock) {
    while (true) {
      co_await files.receive({}, {});
      co_await sleep_for(clock, 5s);
    }
  }
  void poll_on() { tasks.spawn("poll", poll(files, clock)); }
  void pass(Clock::duration time) {
    const Clock::time_point end = clock.now() + time;
    until([&] { return clock.now() >= end; });
  }
  std::string status(int number) {
    Message with = message_with(number);
    files.complete(with);
    return with.attachments.at(0).status;
  }
  std::size_t stored() const {
    const std::filesystem::directory_iterator all(folder.path() / "uploads");
    return static_cast<std::size_t>(
        std::distance(std::filesystem::begin(all), std::filesystem::end(all)));
  }
};

struct Holder {
  explicit Holder(const std::filesystem::path& path) : database(path), transaction(database) {}
  sqlite::Database database;
  sqlite::Transaction transaction;
};

}  // namespace

TEST_CASE("fault B12: an attachment that was refused keeps its reason") {
  Fixture fixture;
  const std::string reason = "not received: it names a file of this machine";
  Message refused = message_with(1);
  refused.attachments.at(0).uri.clear();
  refused.attachments.at(0).status = reason;
  fixture.start();
  fixture.tasks.spawn("receive", fixture.files.receive({}, {refused}));
  fixture.until([&] { return fixture.status(1) == reason; });
}

TEST_CASE("files: a file of the wrong size is tried less and less often, then dropped") {
  Fixture fixture;
  fixture.server.answer(content_call(1), 200, "four");
  fixture.start();
  fixture.arrive(1, 5);
  fixture.poll_on();
  fixture.pass(22s);
  CHECK(fixture.count(content_call(1)) == 3);
  CHECK(fixture.status(1) == "not fetched yet");
  fixture.pass(10min);
  CHECK(fixture.count(content_call(1)) == 5);
  CHECK(fixture.status(1).starts_with("could not be received"));
  CHECK(fixture.count(ack_call(1)) == 0);
  CHECK(fixture.stored() == 0);
}

TEST_CASE("files: lesson 2.16: a web page instead of a file is neither stored nor a wrong size") {
  Fixture fixture;
  const std::string page = "<html>sign in</html>";
  fixture.server.answer(content_call(1),
                        test::Canned{.body = page, .content_type = "text/html; charset=utf-8"});
  Upload file = upload(1, 4);
  std::string status = "not fetched yet";
  SUBCASE("of another size") {}
  SUBCASE("of unknown size") {
    file.size.reset();
  }
  SUBCASE("the file claims another type") {
    file.name = "a.html";
    file.mime_type = "application/pdf";
  }
  SUBCASE("the file is a page") {
    file.size = page.size();
    file.mime_type = "text/html";
    status = "";
  }
  SUBCASE("the file is a page by its name") {
    file.size = page.size();
    file.name = "a.HTM";
    status = "";
  }
  fixture.start();
  fixture.tasks.spawn("receive", fixture.files.receive({file}, {message_with(1)}));
  fixture.poll_on();
  fixture.pass(10min);
  CHECK(fixture.status(1) == status);
  CHECK(fixture.stored() == (status.empty() ? 1 : 0));
  CHECK(fixture.count(content_call(1)) > (status.empty() ? 0 : 5));
}

TEST_CASE("files: known files survive a clock that is wrong for a while") {
  Fixture fixture;
  FileStore store(fixture.folder.path(), fixture.clock, test::timing);
  Message linked = message(2);
  linked.attachments.push_back({.uri = "https://a.test/b", .name = "b", .mime_type = ""});
  store.add({upload(1, 4)}, {message_with(1), linked});
  store.gone(activity_id(1));
  fixture.clock.step_wall(std::chrono::days(4000));
  store.add({upload(2, 4)}, {});
  fixture.clock.step_wall(-std::chrono::days(4000));
  store.add({upload(1, 4)}, {});
  CHECK(store.pending().size() == 1);
  CHECK(fixture.status(1) == "gone from the platform");
  store.complete(linked);
  CHECK(linked.attachments.size() == 1);
}

TEST_CASE("files: old files are forgotten if there are many") {
  Fixture fixture;
  FileStore store(fixture.folder.path(), fixture.clock, test::timing);
  store.add({upload(1, 4)}, {message_with(1)});
  const auto forgotten = [&] {
    Message with = message_with(1);
    store.complete(with);
    return with.attachments.empty();
  };
  fixture.clock.step_wall(std::chrono::hours(1));
  std::vector<Upload> many;
  std::vector<Message> messages;
  for (int i = 2; i <= 10'001; ++i) {
    many.push_back(upload(i, 4));
    messages.push_back(message_with(i));
  }
  store.add(many, messages);
  fixture.clock.step_wall(std::chrono::days(34));
  store.add({upload(2, 4)}, {});
  CHECK_FALSE(forgotten());
  fixture.clock.step_wall(std::chrono::days(1));
  store.add({upload(2, 4)}, {});
  CHECK(forgotten());
  CHECK(store.pending().size() == 10'000);
}

TEST_CASE("files: records of an older version are kept") {
  Fixture fixture;
  sqlite::Database(fixture.folder.path() / "files.db")
      .execute(
          "CREATE TABLE uploads(file_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, size "
          "INTEGER,"
          " state TEXT NOT NULL, path TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,"
          " added_at INTEGER NOT NULL) STRICT;"
          "INSERT INTO uploads(file_id, name, size, state, added_at) VALUES("
          "'00000000-0000-4000-8000-000000000001', 'a.txt', 4, 'pending', 4000000000000000)");
  fixture.server.answer(content_call(1), 200, "four");
  fixture.start();
  fixture.poll_on();
  fixture.until([&] { return fixture.count(ack_call(1)) == 1; });
}

TEST_CASE("files: a file that the platform fails to send is tried at least every hour") {
  Fixture fixture;
  fixture.server.answer(content_call(1), 503, "{}");
  fixture.start();
  fixture.arrive(1, 4);
  fixture.poll_on();
  fixture.pass(6h);
  const std::size_t tries = fixture.count(content_call(1));
  CHECK(tries > 10);
  CHECK(tries < 20);
  fixture.server.forget(content_call(1));
  fixture.server.answer(content_call(1), 200, "four");
  fixture.pass(2h);
  CHECK(fixture.count(ack_call(1)) > 0);
  CHECK(fixture.stored() == 1);
}

TEST_CASE("files: newer files go before a failed one") {
  Fixture fixture;
  fixture.server.answer(content_call(1), test::Canned{.act = test::Canned::Act::reset});
  fixture.server.answer(content_call(2), 200, "four");
  fixture.server.answer(ack_call(2), 200, "{}");
  fixture.start();
  fixture.arrive(1, 4);
  fixture.until([&] { return fixture.tasks.size() == 1; });
  fixture.clock.advance(5s);
  fixture.arrive(2, 4);
  fixture.until([&] { return fixture.count(ack_call(2)) == 1; });
  const auto& all = fixture.server.requests();
  CHECK(all.at(0).path().find(activity_id(1)) != std::string::npos);
  CHECK(all.at(1).path().find(activity_id(2)) != std::string::npos);
}

TEST_CASE("files: while another process sends, nothing is fetched, and its files are left alone") {
  Fixture fixture;
  fixture.server.answer(content_call(1), 200, "four");
  fixture.server.answer(content_call(2), 200, "four");
  fixture.server.answer(ack_call(2), 200, "{}");
  Files other(fixture.client, fixture.folder.path(), fixture.folder.path() / "uploads",
              fixture.clock, test::timing);
  fixture.start();
  {
    const Files::Sending first(other);
    {
      const Files::Sending second(other);
    }
    fixture.arrive(1, 4);
    fixture.arrive(2, 4);
    fixture.poll_on();
    fixture.pass(1min);
    CHECK(fixture.server.requests().empty());
    std::vector<platform::UploadedFile> own(1);
    own[0].uri = fmt::format("platform-pending:{}/{}", test::self_id, activity_id(1));
    fixture.tasks.spawn("sent", other.sent(own));
    fixture.pass(1s);
  }
  fixture.until([&] { return fixture.count(ack_call(2)) == 1; });
  fixture.pass(1min);
  CHECK(fixture.count(content_call(1)) == 0);
  CHECK(fixture.count(ack_call(1)) == 0);
}

TEST_CASE(
    "files: a file that another process received is neither replaced nor acknowledged again") {
  Fixture fixture;
  fixture.server.answer(content_call(1), 200, "four");
  fixture.server.answer(ack_call(1), 200, "{}");
  FileStore store(fixture.folder.path(), fixture.clock, test::timing);
  CHECK_NOTHROW(store.add({upload(1, 4)}, {}));
  CHECK(store.here(activity_id(1), "/there"));
  CHECK_FALSE(store.here(activity_id(1), "/elsewhere"));
  CHECK(store.pending().at(0).path == "/there");
  store.acknowledged(activity_id(1));
  store.gone(activity_id(1));
  CHECK_FALSE(store.is_pending(activity_id(1)));

  const std::filesystem::path uploads = fixture.folder.path() / "uploads";
  std::filesystem::create_directory(uploads);
  const std::filesystem::path taken = uploads / received_name(activity_id(2), "a.txt");
  std::ofstream(taken) << "another's";
  fixture.server.answer(content_call(2), 200, "four");
  fixture.server.answer(ack_call(2), 200, "{}");
  fixture.start();
  fixture.arrive(2, 4);
  fixture.until([&] { return fixture.count(ack_call(2)) == 1; });
  CHECK(std::filesystem::file_size(taken) == 9);
  CHECK(fixture.stored() == 2);
}

TEST_CASE("files: a busy store blocks nobody for long, and own files are recorded") {
  Fixture fixture;
  FileStore store(fixture.folder.path(), fixture.clock, test::timing);
  store.add({upload(1, 4)}, {});
  std::optional<Holder> holder(fixture.folder.path() / "files.db");
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(store.add({upload(2, 4)}, {}), StoreError);
  CHECK(std::chrono::steady_clock::now() - start < 1s);

  std::vector<platform::UploadedFile> own(1);
  own[0].uri = fmt::format("platform-pending:{}/{}", test::self_id, activity_id(1));
  fixture.tasks.spawn("sent", fixture.files.sent(own));
  fixture.until([&] { return fixture.clock.next() != Clock::time_point::max(); });
  holder.reset();
  fixture.until([&] { return fixture.tasks.size() == 0; });
  CHECK_FALSE(store.is_pending(activity_id(1)));
}
