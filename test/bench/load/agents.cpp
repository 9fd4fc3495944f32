#include "bench/load/agents.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/json/reader.hpp"

namespace molecule::bench {

namespace {

std::string post(std::string_view path, std::string_view token, std::string_view body,
                 std::uint16_t port) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      path, port, token, body.size(), body);
}

std::string get(std::string_view path, const Agent& agent, std::uint16_t port) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n\r\n",
                     path, port, agent.token);
}

/// About what an agent writes to another.
constexpr std::string_view said =
    "The review of the parser is done: two findings, both in the part that reads escapes, with a "
    "test for each. Please merge before noon; the branch is up to date and its checks have passed.";

}  // namespace

std::vector<Agent> read_agents(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<Agent> agents;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Agent agent;
    words >> agent.id >> agent.token >> agent.cursor;
    agents.push_back(agent);
  }
  if (agents.empty()) throw std::runtime_error("no agents in " + file.string());
  return agents;
}

void write_agents(const std::filesystem::path& file, const std::vector<Agent>& agents) {
  std::ofstream out(file);
  for (const Agent& agent : agents)
    out << agent.id << ' ' << agent.token << ' ' << agent.cursor << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::string request_of(Work work, const Agent& agent, const Agent& target, std::uint64_t number,
                       std::uint16_t port) {
  switch (work) {
    case Work::health:
      return fmt::format("GET /health HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", port);
    case Work::poll:
      return get(
          fmt::format("/workspaces/{}/activity?type=a2a_receive&since_secs=30&limit=100", agent.id),
          agent, port);
    case Work::heartbeat:
      return post("/registry/heartbeat", agent.token,
                  fmt::format(R"({{"workspace_id":"{}","error_rate":0,"sample_error":"",)"
                              R"("active_tasks":0,"uptime_seconds":{},"current_task":"",)"
                              R"("runtime_state":""}})",
                              agent.id, number),
                  port);
    case Work::message:
      return post(fmt::format("/workspaces/{}/a2a", target.id), agent.token,
                  fmt::format(R"({{"jsonrpc":"2.0","id":"{0}","method":"message/send","params":)"
                              R"({{"message":{{"role":"user","messageId":"load-{1}-{0}",)"
                              R"("parts":[{{"kind":"text","text":"{2}"}}]}}}}}})",
                              number, ::getpid(), said),
                  port);
  }
  throw std::logic_error("no such work");
}

std::string newest_request(const Agent& agent, std::uint16_t port) {
  return get(fmt::format("/workspaces/{}/activity?type=a2a_receive&limit=1", agent.id), agent,
             port);
}

std::string newest_message(std::string_view answer) {
  json::Document document;
  const auto parsed = document.parse(answer);
  if (!parsed) throw std::runtime_error("no messages: " + std::string(answer));
  for (const json::Value row : parsed.value().items()) return std::string(row["id"].string_or(""));
  return "";
}

std::string stream_request(const Agent& agent, std::uint16_t port) {
  return get(fmt::format("/workspaces/{}/events/stream", agent.id), agent, port);
}

std::string create_request(std::uint64_t number, std::string_view admin_token, std::uint16_t port) {
  return post("/workspaces", admin_token,
              fmt::format(R"({{"name":"agent {}","external":true,"runtime":"external",)"
                          R"("delivery_mode":"poll"}})",
                          number),
              port);
}

Agent created_agent(std::string_view answer) {
  json::Document document;
  const auto parsed = document.parse(answer);
  if (!parsed) throw std::runtime_error("no workspace: " + std::string(answer));
  Agent agent{.id = std::string(parsed.value()["id"].string_or("")),
              .token = std::string(parsed.value()["connection"]["auth_token"].string_or(""))};
  if (agent.id.empty() || agent.token.empty()) {
    throw std::runtime_error("no workspace: " + std::string(answer));
  }
  return agent;
}

}  // namespace molecule::bench
