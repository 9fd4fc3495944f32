#include "net/resolver.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace {

using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

std::mutex guard;
std::condition_variable changed;
bool stalled = false;
int lookups = 0;

int system_lookup(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto lookup = reinterpret_cast<Lookup>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return lookup(node, service, hints, found);
}

}  // namespace

namespace molecule::test {

void stall_resolver() {
  const std::lock_guard lock(guard);
  stalled = true;
  lookups = 0;
}

void release_resolver() {
  const std::lock_guard lock(guard);
  stalled = false;
  changed.notify_all();
}

int stalled_lookups() {
  const std::lock_guard lock(guard);
  return lookups;
}

}  // namespace molecule::test

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  const std::string_view name = node != nullptr ? node : "";
  if (name == "missing.test") return EAI_NONAME;
  if (name == "stalled.test") {
    std::unique_lock lock(guard);
    ++lookups;
    changed.wait_for(lock, std::chrono::seconds(5), [] { return !stalled; });
    return EAI_AGAIN;
  }
  const bool two = name == "two.test";
  if (name != "both.test" && !two) return system_lookup(node, service, hints, found);
  addrinfo numeric{};
  numeric.ai_flags = AI_NUMERICHOST;
  numeric.ai_socktype = SOCK_STREAM;
  addrinfo* second = nullptr;
  if (const int error = system_lookup(two ? "127.0.0.2" : "::1", service, &numeric, found);
      error != 0)
    return error;
  if (const int error = system_lookup("127.0.0.1", service, &numeric, &second); error != 0) {
    return error;
  }
  addrinfo* last = *found;
  while (last->ai_next != nullptr) last = last->ai_next;
  last->ai_next = second;
  return 0;
}
