#pragma once

#include <chrono>

namespace molecule::workspace {

/// Every interval of the program, stated once and used by name, in tests too. `Config` carries it
/// and outlives every reference to it.
struct Timing {
  using milliseconds = std::chrono::milliseconds;
  using seconds = std::chrono::seconds;
  using minutes = std::chrono::minutes;

  // Presence (molecule-mcp.md 4).
  seconds heartbeat{20};
  /// Together with the duration of an attempt still below the 90 s after which the platform
  /// declares a workspace offline. Also the longest `Retry-After` that is honoured.
  seconds heartbeat_max_retry{60};
  seconds register_min_retry{1};
  seconds register_max_retry{30};

  // Polling (molecule-mcp.md 5).
  seconds poll{5};
  seconds poll_max_retry{30};
  /// How often broadcasts are asked for.
  seconds broadcast_poll{30};
  /// How often a poll without a cursor looks for a row that can serve as one.
  seconds anchor{60};
  /// The longest `Retry-After` that is honoured: the platform may slow polling down, but not stop
  /// it.
  seconds poll_max_retry_after{300};
  /// The least that a poll without a cursor looks back, and the platform's own cap
  /// (platform-api.md 4.1).
  seconds min_look_back{600};
  seconds max_look_back{2'592'000};
  seconds look_back_margin{60};
  /// How long before its last message a lost inbox may have kept messages that nobody has read.
  std::chrono::hours lost_inbox_look_back{24};

  // The event stream, which wakes the poll (molecule-mcp.md 5).
  /// At least this lies between the beginnings of two polls that events ask for.
  milliseconds min_poll_interval{100};
  seconds stream_min_retry{1};
  seconds stream_max_retry{60};
  /// How often a platform that has no event stream is asked again.
  minutes stream_missing_retry{15};
  /// A stream that has brought nothing until then is held back by a proxy.
  seconds stream_first_byte{10};
  /// How long an open stream may be silent if the platform keeps it alive by comments, which ours
  /// sends every 15 s, and if it does not.
  seconds stream_silence{45};
  seconds stream_max_silence{300};

  // Waking up after the machine was suspended.
  seconds suspend_check{5};
  seconds min_suspension{10};

  // The sessions of one workspace (molecule-mcp.md 5).
  /// An owner whose liveness is older than this counts as gone.
  milliseconds owner_liveness{4500};
  /// How often the owner refreshes its liveness, and the longest time between two checks by others.
  seconds owner_check{2};
  minutes lease{10};
  /// How often a lease in use is renewed.
  minutes lease_renewal{1};
  /// How long a message that was pushed to one session is kept from the others. With `push_hold`
  /// and the time until they look again (`owner_check`) at most 15 s.
  seconds announcement{12};
  /// How long a push waits for a session that waits to take the message.
  seconds push_hold{1};
  /// The platform deletes rows after 30 days at the latest (platform-api.md 10).
  std::chrono::days removed_kept{35};

  // Many workspaces in one process.
  /// Between the starts of two of them, from the 17th on, so that they do not work in step.
  milliseconds start_interval{4};
  /// For each of them: the least time between two records of an owner that only say that all is
  /// still well.
  milliseconds record_refresh{120};
  /// How soon an open inbox that may soon be closed is looked at again.
  milliseconds rest_check{250};
  /// How often memory that is no longer needed goes back to the system.
  seconds memory_release{30};

  // Storage: `Database` says which applies when.
  milliseconds lock_wait{250};
  milliseconds store_retry{20};
  seconds store_patience{5};

  // Received files.
  /// How long a page of rows waits for the files of its messages.
  seconds file_wait{5};
  /// Less than `poll`, so that the next poll tries again.
  seconds file_min_retry{4};
  std::chrono::hours file_max_retry{1};

  // Permission prompts of the host (page.md 3.6).
  /// How often the platform is asked for the decision while a prompt is open.
  seconds prompt_check{2};
  /// A tool call of the agent that comes later shows that the host answered the prompt.
  seconds prompt_settles{2};
  std::chrono::hours prompt_lifetime{1};

  // Channel push.
  /// The least time between two lines that say how many more messages wait.
  seconds push_summary{60};
  /// The delay before an unreadable inbox is tried again.
  seconds push_retry{2};

  // Tool calls.
  /// Often enough for hosts that time out on silence, seldom enough for all (mcp-protocol.md 5).
  seconds progress{15};
  seconds peer_answer{300};
  /// All attempts of one delegation together.
  seconds delegation{600};
  seconds delegation_min_retry{1};
  seconds delegation_max_retry{8};
  /// Within these times the same content is a repetition, not another message or task.
  minutes same_message{10};
  seconds same_delegation{120};

  // The doctor: one call, and all of them together.
  milliseconds doctor_call{4000};
  seconds doctor{14};

  // The process.
  /// How long the first network and disk access waits for a silent host.
  milliseconds first_answer{100};
  /// How long a process that cannot work waits for a host, so that what it asks is answered.
  seconds host_patience{2};
  /// With a host that it stays with: how often it looks for what was missing, and how often it asks
  /// the platform whether it takes the token now.
  seconds recovery_check{2};
  seconds recovery_call{30};
  /// The process must be gone 100 ms after it was asked to end, whatever hangs.
  milliseconds goodbye{80};
  seconds parent_check{5};
};

}  // namespace molecule::workspace
