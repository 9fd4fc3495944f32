#pragma once

#include <span>
#include <string>

#include "base/result.hpp"

namespace molecule {

/// Opens a shared library for the rest of the process's life, by the first of `names` that the
/// system finds. The failure is the loader's word on the first name.
Result<void*, std::string> open_library(std::span<const char* const> names);

/// The address of `name` in an opened library; null if it has none.
void* find_symbol(void* library, const char* name);

/// The same for a function pointer of the library's interface. False if it has none.
template <class Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(find_symbol(library, name));
  return function != nullptr;
}

}  // namespace molecule
