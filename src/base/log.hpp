#pragma once

#include <fmt/core.h>

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace molecule::log {

enum class Level { debug, info, warning, error };

/// Messages below `level` are dropped. Default: warning.
void set_level(Level level);
bool enabled(Level level);

/// The variable in which a user names the level.
inline constexpr const char* level_variable = "MOLECULE_LOG";
/// The level that this value of it names: debug, info, warning or error. None if it is unset (null)
/// or empty; an unknown name counts as unset and is reported with the allowed ones.
std::optional<Level> level_from(const char* value);

/// Gets every message that is not dropped, after it was written. Called from `write`, so it must
/// not log itself. None at the start; one for the program.
using Listener = std::function<void(Level level, std::string_view text)>;
void set_listener(Listener listener);

/// Writes one line, `program: level: text`, to stderr without ever blocking: what a full pipe does
/// not accept is dropped (mcp-protocol.md 2). Control characters become blanks. Callers keep
/// payloads and secrets out.
void write(Level level, std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace molecule::log
