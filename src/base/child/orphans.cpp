#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "base/child/spawn.hpp"

#ifdef __APPLE__
#include <libproc.h>
#endif

namespace molecule {

namespace {

#ifdef __linux__
std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Field `number` of /proc/PID/stat, counted from the state (1), after the name in brackets.
std::string stat_field(const std::filesystem::path& folder, int number) {
  const std::string text = read_all(folder / "stat");
  std::size_t at = text.rfind(')');
  for (int i = 0; i < number && at != std::string::npos; ++i) at = text.find(' ', at + 1);
  if (at == std::string::npos) return {};
  return text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

bool has_mark(const std::filesystem::path& folder, const std::string& mark) {
  const std::string variables = '\0' + read_all(folder / "environ");
  return variables.find('\0' + mark + '\0') != std::string::npos;
}

std::optional<pid_t> process_of(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  pid_t process = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), process);
  if (failure != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return process;
}
#endif

}  // namespace

std::string start_time([[maybe_unused]] pid_t process) {
#if defined(__linux__)
  constexpr int start_time_field = 20;
  return stat_field("/proc/" + std::to_string(process), start_time_field);
#elif defined(__APPLE__)
  proc_bsdinfo info{};
  const int size = ::proc_pidinfo(process, PROC_PIDTBSDINFO, 0, &info, sizeof(info));
  if (size != static_cast<int>(sizeof(info))) return {};
  return std::to_string(info.pbi_start_tvsec) + "." + std::to_string(info.pbi_start_tvusec);
#else
  return {};
#endif
}

int end_orphans(const ProcessMark& mark) {
  if (mark.process <= 1) return 0;
#ifdef __linux__
  // By the mark, because the group's leader may be gone and its number in use again.
  constexpr int group_field = 3;
  int ended = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto process = process_of(entry.path());
    if (!process || stat_field(entry.path(), group_field) != std::to_string(mark.process)) continue;
    if (has_mark(entry.path(), mark.mark) && ::kill(*process, SIGKILL) == 0) ++ended;
  }
  return ended;
#else
  const std::string started = start_time(mark.process);
  if (started.empty() || started != mark.started) return 0;
  return ::kill(-mark.process, SIGKILL) == 0 ? 1 : 0;
#endif
}

}  // namespace molecule
