// The choice of the proxy, and what errors say about it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "net/network.hpp"
#include "net/proxy.hpp"

using namespace molecule;
using net::proxy_for;

namespace {

/// Sets environment variables while it exists.
class Variables {
 public:
  Variables(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) {
      ::setenv(name, value, 1);
      names_.push_back(name);
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const char* name : names_) ::unsetenv(name);
  }

 private:
  std::vector<const char*> names_;
};

}  // namespace

TEST_CASE("fault A16: loopback addresses use no proxy, unless told") {
  const Variables variables{{"http_proxy", "http://p:1"}, {"https_proxy", "http://s:1"}};
  for (const char* host : {"localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9",
                           "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"}) {
    CAPTURE(host);
    CHECK(proxy_for("http", host).empty());
    CHECK(proxy_for("https", host).empty());
    const Variables told{{"MOLECULE_PROXY_LOOPBACK", "1"}};
    CHECK(proxy_for("http", host) == "http://p:1");
  }
  for (const char* host : {"platform.test", "128.0.0.1", "[::2]", "localhost.test", "notlocalhost",
                           "[::ffff:10.0.0.1]"}) {
    CAPTURE(host);
    CHECK(proxy_for("http", host) == "http://p:1");
    CHECK(proxy_for("https", host) == "http://s:1");
  }
}

TEST_CASE("fault A16: the environment is read as curl reads it") {
  CHECK(proxy_for("http", "a.test").empty());
  {
    const Variables variables{{"HTTP_PROXY", "http://capitals:1"}, {"ALL_PROXY", "http://all:1"}};
    CHECK(proxy_for("http", "a.test") == "http://all:1");
  }
  const Variables variables{{"HTTPS_PROXY", "http://s:1"}, {"all_proxy", "http://all:1"}};
  CHECK(proxy_for("https", "a.test") == "http://s:1");
  CHECK(proxy_for("http", "a.test") == "http://all:1");
  const Variables list{
      {"NO_PROXY", "one.test,.two.test  10.0.0.0/8,192.168.1.7, [fd00::]/8,fd99::1,Three.TEST."}};
  for (const char* host : {"one.test", "a.one.test", "two.test", "b.two.test.", "10.200.3.4",
                           "192.168.1.7", "[fd12::1]", "THREE.test"}) {
    CAPTURE(host);
    CHECK(proxy_for("https", host).empty());
  }
  for (const char* host : {"xone.test", "test", "11.0.0.1", "192.168.1.70", "[fe00::1]", "1.7"}) {
    CAPTURE(host);
    CHECK_FALSE(proxy_for("https", host).empty());
  }
  const Variables all{{"no_proxy", "*"}};
  CHECK(proxy_for("https", "a.test").empty());
}

TEST_CASE("fault A16: an error through a proxy names it, without its password") {
  test::Network network;
  const Variables variables{{"http_proxy", "http://ada:secret@127.0.0.1:1/"}};
  const auto failed = network.get("http://platform.test/path");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.find("http://platform.test through the proxy http://127.0.0.1:1") !=
        std::string::npos);
  CHECK(failed.error().message.find("secret") == std::string::npos);
  CHECK(net::proxy_name("p:3128") == "p:3128");
  CHECK(net::proxy_name("socks5h://u:p@q@[::1]:9/x") == "socks5h://[::1]:9");
}
