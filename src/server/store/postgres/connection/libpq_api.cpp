#include "server/store/postgres/connection/libpq_api.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "server/store/store_error.hpp"

namespace molecule::server::store::postgres {

namespace {

constexpr std::array<const char*, 2> library_names{
#ifdef __APPLE__
    "libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib"
#else
    "libpq.so.5", "libpq.so"
#endif
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<void, std::string> load(LibpqApi& api) {
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
    return Failure{fmt::format("libpq cannot be loaded, install it (Debian: libpq5): {}", reason)};
  }
#define MOLECULE_LIBPQ_FIND(name)                                              \
  if (!find(library, "PQ" #name, api.name)) {                                  \
    ::dlclose(library);                                                        \
    return Failure{std::string("libpq is older than 14: it has no PQ" #name)}; \
  }
  MOLECULE_LIBPQ_FUNCTIONS(MOLECULE_LIBPQ_FIND)
#undef MOLECULE_LIBPQ_FIND
  return {};
}

}  // namespace

Result<const LibpqApi*, std::string> load_libpq() {
  static LibpqApi api;
  static bool ready = false;
  if (!ready) {
    if (auto loaded = load(api); !loaded) return Failure{std::move(loaded.error())};
    ready = true;
  }
  return &api;
}

const LibpqApi& libpq() {
  const auto loaded = load_libpq();
  if (!loaded) throw StoreError(StoreError::Kind::failed, loaded.error());
  return **loaded;
}

}  // namespace molecule::server::store::postgres
