#include "base/library.hpp"

#include <dlfcn.h>

namespace molecule {

Result<void*, std::string> open_library(std::span<const char* const> names) {
  std::string reason;
  for (const char* name : names) {
    void* library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library != nullptr) return library;
    // The first name's error is the most useful; reading it also clears it.
    const char* text = ::dlerror();
    if (reason.empty() && text != nullptr) reason = text;
  }
  return Failure{std::move(reason)};
}

void* find_symbol(void* library, const char* name) {
  return ::dlsym(library, name);
}

}  // namespace molecule
