#include <cstddef>
#include <cstdint>

#include "fuzz/targets.hpp"

/// The libFuzzer entry point. MOLECULE_FUZZ_TARGET names the target; an exception is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  molecule::fuzz::MOLECULE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
