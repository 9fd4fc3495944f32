// Load for a molecule-platform on this machine; test/bench/platform_load.py drives it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "base/files/files.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "bench/load/driver.hpp"

namespace {

using namespace molecule;
using namespace molecule::bench;

const std::map<std::string, std::vector<Work>> patterns{
    {"health", {Work::health}},
    {"poll", {Work::poll}},
    {"heartbeat", {Work::heartbeat}},
    {"message", {Work::message}},
    {"mix", {Work::poll, Work::poll, Work::poll, Work::poll, Work::heartbeat}}};

std::string report(const Outcomes& outcomes, double seconds) {
  constexpr std::array<std::string_view, 4> names{"health", "poll", "heartbeat", "message"};
  json::Writer writer;
  {
    auto all = writer.object();
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const Outcome& outcome = outcomes.at(i);
      if (outcome.latencies.count() + outcome.failures == 0) continue;
      auto item = all.object(names.at(i));
      item.field("count", static_cast<std::int64_t>(outcome.latencies.count()));
      item.field("rate", static_cast<double>(outcome.latencies.count()) / seconds);
      item.field("p50_ms", outcome.latencies.percentile(0.5));
      item.field("p99_ms", outcome.latencies.percentile(0.99));
      item.field("p999_ms", outcome.latencies.percentile(0.999));
      item.field("max_ms", outcome.latencies.max());
      item.field("failures", static_cast<std::int64_t>(outcome.failures));
      if (outcome.failures > 0) item.field("failed_status", outcome.failed_status);
    }
  }
  return std::move(writer).take();
}

void print(std::string_view line) {
  std::cout << line << '\n' << std::flush;
}

int run(int argc, char** argv) {
  CLI::App app("Load for a molecule-platform on this machine", "platform_load");
  Load load;
  std::string agents;
  std::string token_file;
  std::string work = "poll";
  std::size_t count = 0;
  std::size_t connections = 64;
  std::size_t streams = 0;
  Rates rates;
  app.add_option("--port", load.port)->required();
  app.add_option("--agents", agents, "The file of the workspaces and their tokens")->required();
  app.add_option("--seconds", load.seconds);
  app.require_subcommand(1);
  CLI::App* create = app.add_subcommand("create", "Creates workspaces")->fallthrough();
  create->add_option("--count", count)->required();
  create->add_option("--token-file", token_file, "The file of the admin token")->required();
  const CLI::App* cursors =
      app.add_subcommand("cursors", "Lets each agent know its newest message")->fallthrough();
  CLI::App* closed = app.add_subcommand("closed", "As fast as it is answered")->fallthrough();
  closed->add_option("--work", work)->check(CLI::IsMember(patterns));
  closed->add_option("--connections", connections);
  CLI::App* offered = app.add_subcommand("offered", "At fixed rates")->fallthrough();
  offered->add_option("--connections", connections);
  offered->add_option("--streams", streams);
  offered->add_option("--polls", rates.polls);
  offered->add_option("--heartbeats", rates.heartbeats);
  offered->add_option("--messages", rates.messages);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return app.exit(stop);
  }
  if (create->parsed()) {
    const auto token = files::read(token_file);
    if (!token) throw std::runtime_error(token.error().message);
    write_agents(agents, create_agents(load.port, count, text::trim(*token)));
    return 0;
  }
  load.agents = read_agents(agents);
  if (cursors->parsed()) {
    fetch_cursors(load.port, load.agents);
    write_agents(agents, load.agents);
    return 0;
  }
  const Outcomes outcomes =
      closed->parsed() ? run_closed(load, connections, patterns.at(work))
                       : run_offered(load, rates, connections, streams, [] { print("connected"); });
  print(report(outcomes, load.seconds));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "platform_load: {}\n", error.what());
    return 1;
  }
}
