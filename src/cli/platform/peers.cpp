#include "cli/platform/peers.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "cli/commands/help.hpp"
#include "cli/output/terminal.hpp"
#include "cli/output/text_table.hpp"
#include "cli/platform/platform_commands.hpp"
#include "cli/session/choose.hpp"

namespace molecule::cli {

namespace {

using platform::Peer;

/// Whole names and ids go before beginnings.
std::vector<Peer> matching(const std::vector<Peer>& peers, const std::string& wanted) {
  const std::string folded = text::fold_case(wanted);
  std::vector<Peer> whole;
  std::vector<Peer> beginning;
  for (const Peer& peer : peers) {
    const std::string name = text::fold_case(peer.name);
    const std::string id = text::lower(peer.id);
    if (name == folded || id == wanted) {
      whole.push_back(peer);
    } else if (name.starts_with(folded) || id.starts_with(wanted)) {
      beginning.push_back(peer);
    }
  }
  return whole.empty() ? beginning : whole;
}

int say_unknown(const std::string& who, const std::vector<Peer>& peers) {
  std::vector<std::string_view> names;
  for (const Peer& peer : peers) names.push_back(peer.name);
  const std::string_view guess = nearest(who, names);
  say_failure(fmt::format("there is no peer {}", text::sanitize_name(who)),
              guess.empty() ? "`molecule-mcp peers` lists them."
                            : fmt::format("Did you mean {}?", text::sanitize_name(guess)));
  return exit_code::not_found;
}

int say_ambiguous(const std::string& who, const std::vector<Peer>& found) {
  std::string text = fmt::format("{} may be any of these; give the id:", text::sanitize_name(who));
  for (const Peer& peer : found)
    text += fmt::format("\n  {}  {}", text::one_line(peer.id), text::sanitize_name(peer.name));
  return wrong_usage(text);
}

std::string to_json(const std::vector<Peer>& peers) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("peers");
    for (const Peer& peer : peers) {
      auto one = list.object();
      one.field("id", text::sanitize(peer.id));
      one.field("name", text::sanitize(peer.name));
      one.field("role", text::sanitize(peer.role));
      one.field("status", text::sanitize(peer.status));
    }
  }
  return std::move(writer).take() + "\n";
}

awaitable<int> list(Session& session, bool json) {
  auto found = co_await session.first().client.peers();
  if (!found) co_return report("the peers cannot be listed", found.error());
  if (json) co_return finish(to_json(*found));
  if (found->empty()) {
    say("There are no peers: no workspace is this one's sibling, parent or child.\n");
    co_return exit_code::done;
  }
  TextTable table({"ID", "NAME", "STATUS", "ROLE"});
  for (const Peer& peer : *found) table.add({peer.id, peer.name, peer.status, peer.role});
  co_return finish(table.text());
}

}  // namespace

awaitable<std::variant<Peer, int>> find_peer(Session& session, std::string who) {
  std::variant<Peer, int> outcome = exit_code::not_found;
  const std::string wanted = text::lower(text::trim(who));
  if (is_uuid(wanted)) {
    Peer peer;
    peer.id = wanted;
    outcome = std::move(peer);
    co_return outcome;
  }
  auto peers = co_await session.first().client.peers();
  if (!peers) {
    outcome = report("the peers cannot be listed", peers.error());
    co_return outcome;
  }
  std::vector<Peer> found;
  if (!wanted.empty()) found = matching(*peers, wanted);
  if (found.size() == 1) {
    outcome = std::move(found.front());
  } else {
    outcome = found.empty() ? say_unknown(wanted, *peers) : say_ambiguous(wanted, found);
  }
  co_return outcome;
}

int peers(const Arguments& arguments) {
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  Session session(std::move(*config));
  return session.run(list(session, arguments.json()));
}

}  // namespace molecule::cli
