#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"

// Replays every stored input through its target: the seeds and all past findings.

namespace {

void replay(const std::string& target, void (*run)(std::string_view)) {
  int replayed = 0;
  const std::filesystem::path folder = std::filesystem::path(MOLECULE_CORPUS) / target;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().string();
    CAPTURE(name);
    std::ifstream file(name, std::ios::binary);
    // An exact-size buffer: nothing after the last byte is readable, as under a fuzzer.
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    CHECK_NOTHROW(run({bytes.data(), bytes.size()}));
    ++replayed;
  }
  CHECK(replayed > 0);
}

}  // namespace

TEST_CASE("corpus: framing") {
  replay("framing", molecule::fuzz::framing);
}
TEST_CASE("corpus: dispatch") {
  replay("dispatch", molecule::fuzz::dispatch);
}
TEST_CASE("corpus: rows") {
  replay("rows", molecule::fuzz::rows);
}
TEST_CASE("corpus: text") {
  replay("text", molecule::fuzz::text);
}
TEST_CASE("corpus: redaction") {
  replay("redaction", molecule::fuzz::redaction);
}
TEST_CASE("corpus: json") {
  replay("json", molecule::fuzz::json);
}
TEST_CASE("corpus: envelope") {
  replay("envelope", molecule::fuzz::envelope);
}
