#include "net/curl_api.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <utility>

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

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Problem load(CurlApi& api) {
  // Debian's libcurl links GnuTLS for protocols that we do not use. By default GnuTLS initialises
  // itself when loaded, which costs 0.7 MB.
  ::setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
  void* library = nullptr;
  std::string reason;
  for (const char* name : library_names) {
    library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library != nullptr) break;
    // The first name's error is the most useful; reading it also clears it.
    const char* text = ::dlerror();
    if (reason.empty() && text != nullptr) reason = text;
  }
  if (library == nullptr) {
    return Failure{
        fmt::format("libcurl cannot be loaded, install it (Debian: libcurl4): {}", reason)};
  }
#define MOLECULE_CURL_FIND(name)                                              \
  if (!find(library, "curl_" #name, api.name)) {                              \
    ::dlclose(library);                                                       \
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
