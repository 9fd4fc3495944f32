#include "server/store/postgres/connection/libpq_api.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/library.hpp"
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

Result<void, std::string> load(LibpqApi& api) {
  const auto library = open_library(library_names);
  if (!library) {
    return Failure{
        fmt::format("libpq cannot be loaded, install it (Debian: libpq5): {}", library.error())};
  }
#define MOLECULE_LIBPQ_FIND(name)                                              \
  if (!find_function(*library, "PQ" #name, api.name)) {                        \
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
