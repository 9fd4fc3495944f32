#include "tools/errors.hpp"

#include <fmt/format.h>

#include <string>

namespace molecule::tools {

namespace {

using platform::Errc;

std::string_view forbidden(About about) {
  switch (about) {
    case About::peer:
    case About::reply:
      return "These two workspaces may not communicate; list_peers shows the ones that you can "
             "reach.";
    case About::memory:
      return "Only a root workspace can write GLOBAL memories: use scope TEAM or LOCAL.";
    case About::user:
      return "The user has switched off messages from this workspace: do not try again.";
    case About::request:
      return "Only the requester may cancel a request, and only its recipient may answer it; two "
             "workspaces that may not communicate cannot ask each other.";
    case About::own_workspace:
    case About::files:
      break;
  }
  return "This workspace is not allowed to do that; ask the user to check its rights on the "
         "platform.";
}

std::string_view not_found(About about) {
  switch (about) {
    case About::peer:
    case About::reply:
      return "There is no such workspace: take the id from list_peers.";
    case About::request:
      return "There is no such open request: check_requests lists them.";
    case About::own_workspace:
    case About::user:
    case About::files:
    case About::memory:
      break;
  }
  return "The platform does not know this workspace, or the organisation id is missing: ask the "
         "user to check WORKSPACE_ID and MOLECULE_ORG_ID, and that the workspace is registered.";
}

/// A lost answer is not a lost request: only the latter is safe to repeat.
std::string_view no_answer(About about, const platform::Error& error) {
  if (error.may_have_arrived && about == About::reply) {
    return "The peer may have received it anyway: call reply again with exactly the same text, "
           "which the platform then treats as the same message.";
  }
  // Not every platform recognises a repetition of these (platform-api.md 4.3).
  if (error.may_have_arrived && about == About::user) {
    return "The message may have been sent anyway: check chat_history before you send it again. "
           "Some platforms treat exactly the same text as the same message, others show it twice.";
  }
  if (error.may_have_arrived && about == About::peer) {
    return "The peer may have received the task anyway: check for its answer (wait_for_message) "
           "before sending it again. The same call within ten minutes is the same message "
           "(messageId) to platforms that recognise repetitions.";
  }
  if (error.may_have_arrived) {
    return "The platform may have done it anyway: check before you repeat it.";
  }
  return "Try again later; if it still fails, ask the user to check PLATFORM_URL and the network.";
}

bool is_about_peer(About about) {
  return about == About::peer || about == About::reply;
}

/// A 5xx of a call to a peer: the platform relays what the peer says, and says itself what it could
/// not do with it (platform-api.md 3.5). Without a reason it is the platform, or what is before it.
std::string_view peer_failed(const platform::Error& error) {
  if (error.message.find("has no URL") != std::string::npos) {
    return "That peer is not connected yet, nobody has started its agent: tell the user, "
           "try again later, or choose another peer (list_peers).";
  }
  return "It is the peer that cannot take it now, not the platform: wait and try again, or choose "
         "another peer (list_peers).";
}

std::string_view next_step(About about, const platform::Error& error) {
  switch (error.code) {
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
      return no_answer(about, error);
    case Errc::unauthorized:
      return error.token_worked
                 ? "The token worked before, so the platform itself may have a problem (its "
                   "database, for instance): try again in a minute. If it goes on, the token was "
                   "replaced or revoked: ask the user for a new one (canvas, Tokens tab)."
                 : "The token was refused or is missing: ask the user for a new one (canvas, "
                   "Tokens tab).";
    case Errc::payment_required:
      return "The budget of that workspace is spent: tell the user, who can raise it.";
    case Errc::forbidden:
      return forbidden(about);
    case Errc::not_found:
      return error.older_platform ? "Do without it: the same call fails again on this platform."
                                  : not_found(about);
    case Errc::conflict:
      return "It conflicts with existing data: check before you repeat it.";
    case Errc::gone:
      return is_about_peer(about)
                 ? "That workspace was removed: take another from list_peers."
                 : "This workspace was removed: ask the user to create a new one and a token "
                   "for it (canvas, Tokens tab).";
    case Errc::too_large:
      return error.status == 0 ? "The answer is larger than this server accepts: ask for less."
                               : "It is too large: send less, or send it in parts.";
    case Errc::rate_limited:
      return "Too many calls: wait before you try again.";
    case Errc::rejected:
      return about == About::files
                 ? "The platform does not accept these files: send the message without them."
                 : "The platform refuses this call as it is: do not repeat it unchanged.";
    case Errc::server_error:
      if (is_about_peer(about) && error.explained) return peer_failed(error);
      return about == About::files
                 ? "The platform cannot accept files for this workspace now: send the message "
                   "without them, or try again later."
                 : "The platform has an internal problem: try again later.";
    case Errc::not_the_platform:
    case Errc::malformed:
      break;
  }
  return "Ask the user to check PLATFORM_URL and MOLECULE_ORG_ID; repeating the call will not "
         "help.";
}

std::string_view next_step(workspace::StoreError::Kind kind) {
  using Kind = workspace::StoreError::Kind;
  switch (kind) {
    case Kind::busy:
      return "Another process is writing to it: try again.";
    case Kind::full:
      return "Ask the user to free space on the disk or to make the state folder writable; "
             "`molecule-mcp doctor` says which. No message is lost meanwhile: the platform keeps "
             "them.";
    case Kind::damaged:
    case Kind::not_ours:
    case Kind::newer:
    case Kind::failed:
      break;
  }
  return "Ask the user to check inbox.db in the state folder. No message is lost meanwhile: the "
         "platform keeps them.";
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.ends_with('.')) out += '.';
  return out;
}

}  // namespace

mcp::ToolResult failure(std::string_view what, About about, const platform::Error& error) {
  std::string text = sentence(what) + ' ' + sentence(error.message);
  if (!error.hint.empty()) text += " The platform's hint: " + sentence(error.hint);
  // What the platform advises about its own switch is enough.
  const bool advised = error.code == Errc::forbidden && !error.hint.empty();
  if (!advised) {
    text += ' ';
    text += next_step(about, error);
  }
  if (error.retry_after) {
    text += fmt::format(" The platform asks you to wait {} s before you try again.",
                        error.retry_after->count());
  }
  return {.text = std::move(text), .is_error = true};
}

mcp::ToolResult failure(std::string_view what, const workspace::StoreError& error) {
  return {.text = fmt::format("{}. The inbox file failed: {}. {}", what, error.what(),
                              next_step(error.kind())),
          .is_error = true};
}

}  // namespace molecule::tools
