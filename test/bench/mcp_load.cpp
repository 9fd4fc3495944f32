// Measures an MCP server from the host's side, for bench.py. Each subcommand prints one line of
// JSON, with times in microseconds.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/writer.hpp"
#include "bench/child.hpp"
#include "bench/http_peer.hpp"

namespace molecule::bench {

namespace {

using Words = std::vector<std::string>;

constexpr const char* usage =
    "usage: mcp_load start ROUNDS COMMAND [-- COMMAND]…  spawn to answered initialize, in turns;\n"
    "                                                    a program named `true`: to its end\n"
    "       mcp_load ping COUNT COMMAND            one at a time\n"
    "       mcp_load call COUNT TOOL COMMAND       the same of a tool: NAME or NAME={arguments}\n"
    "       mcp_load pipeline COUNT COMMAND        pings, all at once: answers a second\n"
    "       mcp_load calls COUNT TOOL COMMAND      tool calls, all at once\n"
    "       mcp_load compare COUNT PORT COMMAND    list_peers and a bare GET of the same, in "
    "turns\n";

const std::string initialize =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18",)"
    R"("capabilities":{},"clientInfo":{"name":"bench","version":"1"}}})"
    "\n";
const std::string initialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
                                "\n";

long number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    throw std::invalid_argument(fmt::format("not a count: {}", text));
  }
  return value;
}

double micros(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

void put(json::Object& out, std::vector<double>& samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double part) {
    return samples[static_cast<std::size_t>(part * static_cast<double>(samples.size() - 1))];
  };
  out.field("p50", at(0.5));
  out.field("p99", at(0.99));
  out.field("least", samples.front());
  out.field("count", samples.size());
}

void print(const std::function<void(json::Object&)>& fill) {
  json::Writer writer;
  {
    auto out = writer.object();
    fill(out);
  }
  fmt::print("{}\n", writer.text());
}

void greet(Child& child) {
  child.write(initialize);
  child.read_answer(0);
  child.write(initialized);
}

std::string ping(long id) {
  return fmt::format("{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}}\n", id);
}

std::string call(long id, std::string_view tool) {
  const std::size_t end = tool.find('=');
  return fmt::format(
      "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tools/call\",\"params\":{{\"name\":\"{}\","
      "\"arguments\":{}}}}}\n",
      id, tool.substr(0, end), end == std::string_view::npos ? "{}" : tool.substr(end + 1));
}

/// Time for a server to finish what it starts after its first response, and for late JIT
/// compilation.
void warm_up(Child& child) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (std::chrono::steady_clock::now() < until) {
    child.write(ping(0));
    child.read_answer(0);
  }
}

double start_once(const Words& command) {
  if (command.front().ends_with("/true")) return micros([&] { Child(command).wait(); });
  const auto begin = std::chrono::steady_clock::now();
  Child child(command, initialize);
  child.read_answer(0);
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

std::vector<Words> split_commands(const Words& words) {
  std::vector<Words> commands(1);
  for (const std::string& word : words) {
    if (word == "--") {
      commands.emplace_back();
    } else {
      commands.back().push_back(word);
    }
  }
  for (const Words& command : commands) {
    if (command.empty()) throw std::invalid_argument("no command");
  }
  return commands;
}

void measure_start(long rounds, const std::vector<Words>& commands) {
  std::vector<std::vector<double>> samples(commands.size());
  for (const Words& command : commands) start_once(command);  // warms the page cache
  for (long round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      samples[i].push_back(start_once(commands[i]));
    }
  }
  print([&](json::Object& out) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      auto part = out.object(fmt::format("{}", fmt::join(commands[i], " ")));
      put(part, samples[i]);
    }
  });
}

void measure_requests(long count, const Words& command,
                      const std::function<std::string(long)>& make) {
  Child child(command);
  greet(child);
  warm_up(child);
  std::vector<double> samples;
  for (long id = 1; id <= count; ++id) {
    const std::string line = make(id);
    samples.push_back(micros([&] {
      child.write(line);
      child.read_answer(id);
    }));
  }
  print([&](json::Object& out) { put(out, samples); });
}

void measure_pipeline(long count, const Words& command,
                      const std::function<std::string(long)>& make) {
  std::string all;
  for (long id = 1; id <= count; ++id) all += make(id);
  Child child(command);
  greet(child);
  warm_up(child);
  const double time = micros([&] { child.exchange(all, count); });
  print([&](json::Object& out) {
    out.field("per_second", static_cast<double>(count) * 1e6 / time);
    out.field("count", count);
  });
}

void compare_peers(long count, std::uint16_t port, const Words& command) {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::invalid_argument(fmt::format("{} is not set", name));
    return value;
  };
  const std::string id = variable("WORKSPACE_ID");
  HttpPeer bare(port, fmt::format("/registry/{}/peers", id), id,
                variable("MOLECULE_WORKSPACE_TOKEN"));
  Child child(command);
  greet(child);
  warm_up(child);
  std::vector<double> calls;
  std::vector<double> requests;
  for (long i = 1; i <= count; ++i) {
    const std::string line = call(i, "list_peers");
    calls.push_back(micros([&] {
      child.write(line);
      child.read_answer(i);
    }));
    requests.push_back(micros([&] { bare.get(); }));
  }
  print([&](json::Object& out) {
    {
      auto part = out.object("list_peers");
      put(part, calls);
    }
    auto part = out.object("bare");
    put(part, requests);
  });
}

int run(std::span<char*> arguments) {
  const Words words(arguments.begin(), arguments.end());
  const std::string verb = words.size() > 3 ? words[1] : "";
  const auto rest = [&](std::size_t from) {
    if (words.size() <= from) throw std::invalid_argument("no command");
    return Words(words.begin() + static_cast<std::ptrdiff_t>(from), words.end());
  };
  const long count = verb.empty() ? 0 : number(words[2]);
  if (verb == "start") {
    measure_start(count, split_commands(rest(3)));
  } else if (verb == "ping") {
    measure_requests(count, rest(3), ping);
  } else if (verb == "pipeline") {
    measure_pipeline(count, rest(3), ping);
  } else if (verb == "call" || verb == "calls") {
    const auto measure = verb == "call" ? measure_requests : measure_pipeline;
    measure(count, rest(4), [&](long id) { return call(id, words[3]); });
  } else if (verb == "compare") {
    compare_peers(count, static_cast<std::uint16_t>(number(words[3])), rest(4));
  } else {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  return 0;
}

}  // namespace

}  // namespace molecule::bench

int main(int argc, char** argv) {
  try {
    return molecule::bench::run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {
    fmt::print(stderr, "mcp_load: {}\n", error.what());
    return 1;
  }
}
