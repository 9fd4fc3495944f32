// What molecule-platform's arguments and environment mean.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "app/platform/platform_options.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using app::Exit;
using app::PlatformOptions;

namespace {

using Variables = std::map<std::string, std::string>;

/// The environment in which the options are read, restored at the end.
class Environment {
 public:
  explicit Environment(const Variables& variables) {
    for (const char* name :
         {"ADMIN_TOKEN", "EXTERNAL_PLATFORM_URL", "CORS_ORIGINS", "XDG_DATA_HOME", "HOME",
          "RATE_LIMIT", "ACTIVITY_RETENTION_DAYS", "REMOTE_LIVENESS_STALE_AFTER"}) {
      if (const char* value = ::getenv(name)) before_[name] = value;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    given_ = variables;
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : given_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  Variables before_;
  Variables given_;
};

std::variant<PlatformOptions, Exit> parse(std::vector<std::string> arguments,
                                          const Variables& variables = {{"HOME", "/home/ada"}}) {
  const Environment environment(variables);
  arguments.insert(arguments.begin(), "molecule-platform");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  return app::parse_platform_options(static_cast<int>(arguments.size()), pointers.data());
}

PlatformOptions options(const std::vector<std::string>& arguments,
                        const Variables& variables = {{"HOME", "/home/ada"}}) {
  const auto parsed = parse(arguments, variables);
  if (const auto* end = std::get_if<Exit>(&parsed)) FAIL(end->err);
  return std::get<PlatformOptions>(parsed);
}

/// What stderr says when the arguments or variables are refused.
std::string refused(const std::vector<std::string>& arguments,
                    const Variables& variables = {{"HOME", "/home/ada"}}) {
  const auto parsed = parse(arguments, variables);
  REQUIRE(std::holds_alternative<Exit>(parsed));
  const auto& end = std::get<Exit>(parsed);
  CHECK(end.code == 2);
  CHECK(end.out.empty());
  return end.err;
}

}  // namespace

TEST_CASE("without arguments it listens on the loopback and keeps its data at home") {
  const PlatformOptions found = options({});
  CHECK(found.host == "127.0.0.1");
  CHECK(found.port == 8080);
  CHECK(found.data == "/home/ada/.local/share/molecule-platform");
  CHECK(found.admin_token.empty());
  CHECK(found.external_url.empty());
  CHECK(found.origins ==
        std::vector<std::string>{"http://localhost:3000", "http://localhost:3001"});
}

TEST_CASE("the data home of the environment counts if it is absolute") {
  CHECK(options({}, {{"HOME", "/h"}, {"XDG_DATA_HOME", "/data"}}).data ==
        "/data/molecule-platform");
  CHECK(options({}, {{"HOME", "/h"}, {"XDG_DATA_HOME", "data"}}).data ==
        "/h/.local/share/molecule-platform");
  CHECK(refused({}, {}).find("HOME") != std::string::npos);
}

TEST_CASE("a listening address is an address or localhost, with a port") {
  struct Case {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  for (const Case& one :
       {Case{"127.0.0.1:0", "127.0.0.1", 0}, Case{"0.0.0.0:65535", "0.0.0.0", 65535},
        Case{"[::1]:80", "::1", 80}, Case{"localhost:9", "localhost", 9}}) {
    CAPTURE(one.text);
    PlatformOptions found;
    CHECK(app::parse_listen(one.text, found.host, found.port));
    CHECK(found.host == one.host);
    CHECK(found.port == one.port);
  }
  for (const char* text : {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:8x", "::1:80", "[127.0.0.1]:80",
                           "[localhost]:80", "example.org:80", "[::1]", "127.0.0.1 :80"}) {
    CAPTURE(text);
    PlatformOptions found;
    CHECK_FALSE(app::parse_listen(text, found.host, found.port));
  }
}

TEST_CASE("an IPv6 address stands in brackets in a URL") {
  CHECK(app::url_host("::1") == "[::1]");
  CHECK(app::url_host("127.0.0.1") == "127.0.0.1");
  CHECK(app::url_host("localhost") == "localhost");
}

TEST_CASE("the environment's values are checked and cleaned") {
  const Variables variables = {{"HOME", "/h"},
                               {"ADMIN_TOKEN", " secret\n"},
                               {"EXTERNAL_PLATFORM_URL", "https://example.org/base//"},
                               {"CORS_ORIGINS", "https://a.example,https://b.example"}};
  const PlatformOptions found = options({"--allow-host", "a", "--allow-host", "b"}, variables);
  CHECK(found.admin_token == "secret");
  CHECK(found.external_url == "https://example.org/base");
  CHECK(found.origins == std::vector<std::string>{"https://a.example", "https://b.example"});
  CHECK(found.allowed_hosts == std::vector<std::string>{"a", "b"});
  CHECK(refused({}, {{"HOME", "/h"}, {"ADMIN_TOKEN", "two words"}}).find("ADMIN_TOKEN") !=
        std::string::npos);
  CHECK(refused({}, {{"HOME", "/h"}, {"EXTERNAL_PLATFORM_URL", "ftp://x"}})
            .find("EXTERNAL_PLATFORM_URL") != std::string::npos);
}

TEST_CASE("the public URL is an option or a variable, and hides no route") {
  const Variables variables = {{"HOME", "/h"}, {"EXTERNAL_PLATFORM_URL", "https://a.example"}};
  CHECK(options({}, variables).external_url == "https://a.example");
  CHECK(options({"--public-url", "http://b.example:81/x/y/"}, variables).external_url ==
        "http://b.example:81/x/y");
  for (const char* url : {"b.example", "https://", "https:///x", "https://b.example/ws",
                          "https://b.example/workspaces/x", "https://b.example:port"}) {
    CAPTURE(url);
    CHECK(refused({"--public-url", url}).find("--public-url") != std::string::npos);
  }
  CHECK(app::public_port("https://b.example/x", 1) == 443);
  CHECK(app::public_port("http://b.example", 1) == 80);
  CHECK(app::public_port("http://[::1]:81/x:82", 1) == 81);
  CHECK(app::public_port("https://[::1]", 1) == 443);
  CHECK(app::public_port("", 1) == 1);
}

TEST_CASE("a backup is made of one file and restored from one") {
  const PlatformOptions made = options({"backup", "b", "--data", "d", "--json"});
  CHECK(made.copy == PlatformOptions::Copy::backup);
  CHECK(made.backup == "b");
  CHECK(made.data == "d");
  CHECK(made.json);
  const PlatformOptions back = options({"--data", "d", "restore", "b", "--force"});
  CHECK(back.copy == PlatformOptions::Copy::restore);
  CHECK(back.force);
  CHECK(refused({"backup"}).find("FILE") != std::string::npos);
  CHECK(refused({"backup", "b", "--force"}).find("--force") != std::string::npos);
  CHECK(options({}).copy == PlatformOptions::Copy::none);
}

TEST_CASE("help and version are no errors, and wrong arguments name themselves") {
  const auto help = parse({"--help"});
  REQUIRE(std::holds_alternative<Exit>(help));
  CHECK(std::get<Exit>(help).code == 0);
  CHECK(std::get<Exit>(help).out.find("MOLECULE_LOG") != std::string::npos);
  CHECK(std::get<Exit>(parse({"--version"})).out.find("molecule-platform ") == 0);
  CHECK(refused({"--nonsense"}).find("--nonsense") != std::string::npos);
  CHECK(refused({"--listen", "here"}).find("--listen") != std::string::npos);
}

TEST_CASE("limits come from a file, the environment and flags, the later ones winning") {
  test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "limits";
  std::ofstream(file) << "# ours\nrequests-per-minute = 1\nfiles = 2\ntokens = 3\n";
  const PlatformOptions read =
      options({"--limits", file.string(), "--limit", "tokens=9", "--limit", "message-bytes=1K"},
              {{"HOME", "/home/ada"}, {"RATE_LIMIT", "7"}, {"REMOTE_LIVENESS_STALE_AFTER", "60"}});
  CHECK(read.limits.requests_per_minute == 7);
  CHECK(read.limits.client_requests_per_minute == 7);
  CHECK(read.limits.files == 2);
  CHECK(read.limits.tokens == 9);
  CHECK(read.limits.message_bytes == 1024);
  CHECK(read.stale_after == std::chrono::seconds(60));
  const auto refused = [](const std::vector<std::string>& arguments, const Variables& variables) {
    const auto parsed = parse(arguments, variables);
    const auto* end = std::get_if<Exit>(&parsed);
    return end != nullptr && end->code == 2 && !end->err.empty();
  };
  CHECK(refused({"--limit", "tokens"}, {{"HOME", "/"}}));
  CHECK(refused({"--limit", "cups=1"}, {{"HOME", "/"}}));
  CHECK(refused({"--limits", (folder.path() / "missing").string()}, {{"HOME", "/"}}));
  CHECK(refused({}, {{"HOME", "/"}, {"RATE_LIMIT", "many"}}));
  CHECK(refused({}, {{"HOME", "/"}, {"REMOTE_LIVENESS_STALE_AFTER", "5"}}));
  CHECK_FALSE(refused({}, {{"HOME", "/"}, {"RATE_LIMIT", ""}}));
}
