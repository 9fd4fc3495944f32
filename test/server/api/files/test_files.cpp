#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "server/api/files/pending_uploads.hpp"
#include "server/api/files/upload_folder.hpp"
#include "server/api/registry/sweep.hpp"
#include "server/http/multipart.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

std::string part(std::string_view filename, std::string_view content,
                 std::string_view type = "text/plain") {
  return "--X\r\nContent-Disposition: form-data; name=\"files\"; filename=\"" +
         std::string(filename) + "\"\r\nContent-Type: " + std::string(type) + "\r\n\r\n" +
         std::string(content) + "\r\n";
}

test::Answer upload(Platform& platform, const Member& to, std::string_view token,
                    const std::string& parts) {
  platform.headers = {{"Content-Type", "multipart/form-data; boundary=X"}};
  auto answer = platform.post(path_of(to, "/chat/uploads"), token, parts + "--X--\r\n");
  platform.headers.clear();
  return answer;
}

std::string file_id(const test::Answer& answer, std::size_t index = 0) {
  const std::string uri(answer["files"].items().at(index)["uri"].string_or(""));
  return uri.substr(uri.find('/') + 1);
}

std::size_t stored(const Platform& platform) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(platform.services.uploads), {}));
}

/// A file without a row is kept for an hour by the disk's clock: its row may be on its way.
void let_files_age(const Platform& platform) {
  for (const auto& file : std::filesystem::directory_iterator(platform.services.uploads)) {
    std::filesystem::last_write_time(file, file.last_write_time() - std::chrono::hours(2));
  }
}

}  // namespace

TEST_CASE("a user's file waits for the workspace until it is acknowledged") {
  Platform platform;
  const Member a = platform.add("a");
  const auto reply =
      upload(platform, a, platform.admin, part("r.txt", "hello") + part("two.bin", "", "weird"));
  REQUIRE(reply.status == 200);
  const std::string id = file_id(reply);
  CHECK(reply["files"].items().at(0).dump() ==
        R"({"uri":"platform-pending:)" + a.id + "/" + id +
            R"(","name":"r.txt","mimeType":"text/plain","size":5})");
  CHECK(reply["files"].items().at(1)["mimeType"].string_or("") == "application/octet-stream");

  const auto page = platform.get(path_of(a, "/activity?type=a2a_receive"), a.token);
  REQUIRE(page.items().size() == 2);
  const json::Value row = page.items()[1];
  CHECK(row["method"].string_or("") == "chat_upload_receive");
  CHECK(row["source_id"].is_null());
  CHECK(row["request_body"]["file_id"].string_or("") == id);
  CHECK(row["request_body"]["uri"].string_or("") == "platform-pending:" + a.id + "/" + id);

  const std::string path = path_of(a, "/pending-uploads/" + id);
  server::Request request;
  request.method = "GET";
  request.path = path + "/content";
  request.headers.emplace_back("Authorization", "Bearer " + a.token);
  const server::Reply content = platform.handle(request);
  CHECK(content.status == 200);
  CHECK(content.content_type == "text/plain");
  std::ifstream bytes(content.file);
  CHECK(std::string(std::istreambuf_iterator<char>(bytes), {}) == "hello");

  for (int i = 0; i < 2; ++i) {
    CHECK(platform.post(path + "/ack", a.token, "").text == R"({"acked":true})");
  }
  platform.clock.advance(std::chrono::minutes(59));
  platform.sweep(0);
  CHECK(platform.get(path + "/content", platform.admin).status == 200);
  platform.clock.advance(std::chrono::minutes(2));
  CHECK(platform.get(path + "/content", a.token).status == 404);
  CHECK(stored(platform) == 2);
  let_files_age(platform);
  platform.sweep(0);
  CHECK(stored(platform) == 1);
}

TEST_CASE("an agent's own file leaves no row, and is served in every spelling") {
  Platform platform;
  const Member a = platform.add("a");
  REQUIRE(upload(platform, a, a.token, part("r", "x")).status == 200);
  CHECK(platform.get(path_of(a, "/activity"), a.token).items().empty());
  const auto rows = platform.database.rows("SELECT id FROM pending_uploads");
  REQUIRE(rows.size() == 1);
  const std::string id = rows[0][0];
  const auto download = [&](const std::string& path) {
    return platform.get(path_of(a, "/chat/download?path=" + path), a.token).status;
  };
  CHECK(download("platform-pending:" + a.id + "/" + id) == 200);
  CHECK(download("workspace:/workspace/.molecule/chat-uploads/" + id) == 200);
  CHECK(download("/workspace/" + id) == 200);
  CHECK(download("/workspace/other") == 422);
  CHECK(download("/etc/passwd") == 400);
}

TEST_CASE("an upload expires after a day") {
  Platform platform;
  const Member a = platform.add("a");
  const std::string path =
      path_of(a, "/pending-uploads/" + file_id(upload(platform, a, a.token, part("r", "x"))));
  platform.clock.advance(std::chrono::hours(24) - std::chrono::seconds(1));
  CHECK(platform.get(path + "/content", a.token).status == 200);
  platform.clock.advance(std::chrono::seconds(2));
  CHECK(platform.get(path + "/content", a.token).status == 404);
  CHECK(platform.post(path + "/ack", a.token, "").status == 404);
  let_files_age(platform);
  platform.sweep(0);
  CHECK(stored(platform) == 0);
  CHECK(platform.count("SELECT count(*) FROM pending_uploads") == 0);
}

TEST_CASE("files without a row are removed, and a row without a file is not found") {
  Platform platform;
  const Member a = platform.add("a");
  const std::string id = file_id(upload(platform, a, a.token, part("r", "x")));
  const std::string lost(test::unknown_id);
  std::ofstream(platform.services.uploads / lost) << "without a row";
  std::ofstream(platform.services.uploads / ("." + lost + ".abcd-_12")) << "half";
  platform.sweep(0);
  CHECK(stored(platform) == 3);
  let_files_age(platform);
  platform.sweep(0);
  CHECK(stored(platform) == 1);
  std::filesystem::remove(platform.services.uploads / id);
  CHECK(platform.get(path_of(a, "/pending-uploads/" + id + "/content"), a.token).status == 404);
}

TEST_CASE("fault C1: a sweep leaves alone what no platform named, and follows no link") {
  Platform platform;
  const std::string lost(test::unknown_id);
  const auto& folder = platform.services.uploads;
  const std::vector<std::string> foreign{"thesis.pdf", lost + ".txt", "." + lost,
                                         "." + lost + ".abcd", ".molecule-platform-uploads"};
  for (const std::string& name : foreign) std::ofstream(folder / name) << "precious";
  const auto elsewhere = platform.folder.path / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::ofstream(elsewhere / lost) << "precious";
  std::filesystem::create_directory_symlink(elsewhere, folder / lost);
  platform.sweep(0);
  CHECK(stored(platform) == foreign.size() + 1);
  // The folder itself became a link meanwhile.
  std::filesystem::rename(folder, platform.folder.path / "moved");
  std::filesystem::create_directory_symlink(elsewhere, folder);
  platform.sweep(0);
  CHECK(std::filesystem::exists(elsewhere / lost));
}

TEST_CASE("fault C1: only a folder that a platform made is taken for uploads") {
  const test::Folder folder;
  const auto uploads = folder.path / "uploads";
  const std::string id(test::unknown_id);
  REQUIRE(server::claim_upload_folder(uploads));
  REQUIRE(server::claim_upload_folder(uploads));  // its own, with its mark
  std::ofstream(uploads / "note") << "a person's, since then";
  CHECK(server::claim_upload_folder(uploads));

  // One of an earlier version has no mark, but nothing foreign in it.
  std::filesystem::create_directory(folder.path / "earlier");
  std::ofstream(folder.path / "earlier" / id) << "x";
  CHECK(server::claim_upload_folder(folder.path / "earlier"));

  std::filesystem::create_directory(folder.path / "photos");
  std::ofstream(folder.path / "photos" / "cat.jpg") << "x";
  const auto refused = server::claim_upload_folder(folder.path / "photos");
  REQUIRE(!refused);
  CHECK(refused.error().find("cat.jpg") != std::string::npos);
  CHECK(refused.error().find("--data") != std::string::npos);
  std::filesystem::create_directory_symlink(uploads, folder.path / "link");
  CHECK(!server::claim_upload_folder(folder.path / "link"));
  std::ofstream(folder.path / "file") << "x";
  CHECK(!server::claim_upload_folder(folder.path / "file"));
}

TEST_CASE("files of other workspaces are not found") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const std::string id = file_id(upload(platform, a, a.token, part("r", "x")));
  for (const std::string& asked : {id, std::string(test::unknown_id),
                                   std::string("..%2F..%2Fplatform.db"), std::string("x")}) {
    CHECK(platform.get(path_of(b, "/pending-uploads/" + asked + "/content"), b.token).status ==
          404);
    CHECK(platform.post(path_of(b, "/pending-uploads/" + asked + "/ack"), b.token, "").status ==
          404);
  }
  CHECK(platform.get(path_of(a, "/pending-uploads/" + id + "/content"), b.token).status == 401);
  CHECK(platform.post(path_of(a, "/pending-uploads/" + id + "/ack"), "", "").status == 401);
  CHECK(upload(platform, a, b.token, part("r", "x")).status == 401);
  CHECK(upload(platform, a, "", part("r", "x")).status == 401);
}

TEST_CASE("invalid uploads are refused and leave nothing") {
  Platform platform;
  const Member a = platform.add("a");
  CHECK(platform.post(path_of(a, "/chat/uploads"), a.token, "{}").status == 400);
  CHECK(upload(platform, a, a.token, "").status == 400);
  CHECK(upload(platform, a, a.token, "--X\r\nContent-Disposition: form-data; name=f\r\n\r\n\r\n")
            .error() == "expected at least one 'files' field");
  std::string many;
  for (int i = 0; i < 65; ++i) many += part("f", "x");
  CHECK(upload(platform, a, a.token, many).status == 400);
  const std::string large(server::max_upload_bytes + 1, 'x');
  const auto refused = upload(platform, a, a.token, part("ok", "x") + part("big.bin", large));
  CHECK(refused.status == 413);
  CHECK(refused["filename"].string_or("") == "big.bin");
  CHECK(refused["size"].integer() == server::max_upload_bytes + 1);
  CHECK(refused["max"].integer() == server::max_upload_bytes);
  CHECK(stored(platform) == 0);
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("the files waiting for one workspace are limited") {
  Platform platform;
  const Member a = platform.add("a");
  REQUIRE(upload(platform, a, a.token, part("r", "x")).status == 200);
  platform.services.limits.file_bytes = 1;
  CHECK(upload(platform, a, a.token, part("r", "x")).status == 413);
}

TEST_CASE("an upload that cannot be written leaves no row") {
  Platform platform;
  const Member a = platform.add("a");
  std::filesystem::remove_all(platform.services.uploads);
  CHECK(upload(platform, a, a.token, part("r", "x")).status == 503);
  CHECK(platform.count("SELECT count(*) FROM activity") == 0);
}

TEST_CASE("file names are made safe and keep their script") {
  Platform platform;
  const Member a = platform.add("a");
  const auto name_of = [&](std::string_view given) {
    const auto reply = upload(platform, a, a.token, part(given, "x"));
    return std::string(reply["files"].items().at(0)["name"].string_or(""));
  };
  CHECK(name_of("../../etc/passwd") == "passwd");
  CHECK(name_of("C:\\\\x\\\\a.txt") == "a.txt");
  CHECK(name_of("..") == "file");
  CHECK(name_of("") == "file");
  CHECK(name_of("\xD0\xBE\xD1\x82\xD1\x87\xD1\x91\xD1\x82.pdf") ==
        "\xD0\xBE\xD1\x82\xD1\x87\xD1\x91\xD1\x82.pdf");
  CHECK(name_of("a\tb\xE2\x80\xAE") == "a b");
  const std::string cut = name_of(std::string(200, 'x') + ".tar.gz");
  CHECK(cut.size() == 100);
  CHECK(cut.ends_with("x.gz"));
}

TEST_CASE("the limits of uploads") {
  Platform platform;
  CHECK(platform.get("/uploads/limits", "").text ==
        R"({"per_file_bytes":104857600,"per_request_bytes":104857600,)"
        R"("max_attachments_per_message":10})");
}
