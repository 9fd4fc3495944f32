#include "net/curl_api.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/library.hpp"

namespace molecule::net {

namespace {

using Problem = Result<void, std::string>;

#ifdef MOLECULE_LIBCURL_LINKED

Problem load(CurlApi& api) {
#define MOLECULE_CURL_TAKE(name) api.name = &::curl_##name;
  MOLECULE_CURL_FUNCTIONS(MOLECULE_CURL_TAKE)
#undef MOLECULE_CURL_TAKE
  return {};
}

#else

constexpr std::array<const char*, 2> library_names{
#ifdef __APPLE__
    "libcurl.4.dylib", "/usr/lib/libcurl.4.dylib"
#else
    "libcurl.so.4", "libcurl.so"
#endif
};

Problem load(CurlApi& api) {
  // Debian's libcurl links GnuTLS for protocols that we do not use. By default GnuTLS initialises
  // itself when loaded, which costs 0.7 MB.
  ::setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
  const auto library = open_library(library_names);
  if (!library) {
    return Failure{fmt::format("libcurl cannot be loaded, install it (Debian: libcurl4): {}",
                               library.error())};
  }
#define MOLECULE_CURL_FIND(name)                                              \
  if (!find_function(*library, "curl_" #name, api.name)) {                    \
    return Failure{std::string("libcurl is too old: it has no curl_" #name)}; \
  }
  MOLECULE_CURL_FUNCTIONS(MOLECULE_CURL_FIND)
#undef MOLECULE_CURL_FIND
  return {};
}

#endif

}  // namespace

Result<const CurlApi*, std::string> curl_api() {
  static CurlApi api;
  static bool ready = false;
  if (!ready) {
    if (Problem loaded = load(api); !loaded) return Failure{std::move(loaded.error())};
    if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      return Failure{std::string("libcurl cannot be initialised")};
    }
    ready = true;
  }
  return &std::as_const(api);
}

}  // namespace molecule::net
