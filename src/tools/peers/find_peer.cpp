#include "tools/peers/find_peer.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <cstdint>

#include "base/text/characters.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "tools/errors.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/shared_calls.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t max_named = 20;
/// Fewer characters of an id name nobody.
constexpr std::size_t min_id_beginning = 4;

/// All scripts' cases, whatever the process's own locale is; only ASCII's where the system has no
/// UTF-8 locale.
locale_t unicode_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
  return locale;
}

/// Two texts that differ only in case have the same one: upper case first, since some letters have
/// two lower-case forms.
std::u32string folded(std::string_view text) {
  const locale_t locale = unicode_locale();
  std::u32string out;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = std::max<std::size_t>(text::decode(text, code), 1);
    text.remove_prefix(length);
    if (locale != locale_t{}) {
      code = static_cast<std::uint32_t>(
          ::towlower_l(::towupper_l(static_cast<wint_t>(code), locale), locale));
    } else if (code >= 'A' && code <= 'Z') {
      code += 'a' - 'A';
    }
    out += static_cast<char32_t>(code);
  }
  return out;
}

/// "A (id), B (id)"
std::string named(const std::vector<platform::Peer>& peers) {
  std::string list;
  for (std::size_t i = 0; i < peers.size() && i <= max_named; ++i) {
    if (!list.empty()) list += ", ";
    list += i == max_named
                ? std::string("…")
                : fmt::format("{} ({})", peers[i].name.empty() ? "unnamed" : peers[i].name,
                              peers[i].id);
  }
  return list;
}

}  // namespace

PeerChoice choose_peer(const std::vector<platform::Peer>& peers, std::string_view given) {
  const std::u32string wanted = folded(text::trim(given));
  const std::string id = text::lower(text::trim(given));
  std::vector<platform::Peer> exact;
  std::vector<platform::Peer> beginning;
  for (const platform::Peer& peer : peers) {
    const std::u32string name = folded(peer.name);
    if (name == wanted) exact.push_back(peer);
    const bool by_id = id.size() >= min_id_beginning && text::lower(peer.id).starts_with(id);
    if (name.starts_with(wanted) || by_id) beginning.push_back(peer);
  }
  const std::vector<platform::Peer>& found = exact.empty() ? beginning : exact;
  PeerChoice choice;
  if (found.size() == 1) {
    choice.id = text::lower(found.front().id);
  } else if (found.empty()) {
    choice.problem =
        peers.empty() ? "names nobody: this workspace has no peers"
                      : "must be a peer's ID, or its name as list_peers shows it: " + named(peers);
  } else {
    choice.problem = "fits several peers, give the ID of one: " + named(found);
  }
  return choice;
}

awaitable<PeerChoice> find_peer(Services& services, std::string given,
                                const workspace::Workspace* source) {
  PeerChoice choice;
  if (auto id = read_uuid(given)) {
    choice.id = std::move(*id);
    co_return choice;
  }
  auto lists = co_await ask_all(services, "find_peer", peers_of);
  std::vector<platform::Peer> peers;
  std::optional<platform::Error> failed;
  std::size_t at = 0;
  for (workspace::Workspace& workspace : services.workspaces) {
    const auto& list = lists[at++];
    if (!list || (source != nullptr && source != &workspace)) continue;
    if (!*list) {
      failed = list->error();
      continue;
    }
    for (const platform::Peer& peer : **list) {
      workspace.know_peer(peer);
      const bool listed = std::ranges::find(peers, peer.id, &platform::Peer::id) != peers.end();
      if (!listed) peers.push_back(peer);
    }
  }
  choice = choose_peer(peers, given);
  if (choice.id.empty() && failed) {
    choice.failure =
        failure(fmt::format("The peer {} was not found by its name", text::sanitize_name(given)),
                About::own_workspace, *failed);
  }
  co_return choice;
}

}  // namespace molecule::tools
