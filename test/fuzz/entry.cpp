#include <cstddef>
#include <cstdint>

#include "fuzz/targets.hpp"

/// libFuzzer's way in; MOLECULE_FUZZ_TARGET names the target. An exception ends the run as a find.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  molecule::fuzz::MOLECULE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
