#include "cli/session/run_program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

extern char** environ;

namespace molecule::cli {

namespace {

constexpr std::array<std::string_view, 3> secret_variables{
    "MOLECULE_WORKSPACE_TOKEN=", "MOLECULE_WORKSPACES=", "ADMIN_TOKEN="};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

std::vector<char*> without_secrets() {
  std::vector<char*> list;
  for (char** one = environ; *one != nullptr; ++one) {
    bool secret = false;
    for (const std::string_view name : secret_variables) {
      secret = secret || std::string_view(*one).starts_with(name);
    }
    if (!secret) list.push_back(*one);
  }
  list.push_back(nullptr);
  return list;
}

std::string read_all(int fd) {
  constexpr std::size_t max = 65536;
  std::string output;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return output;
    if (output.size() < max) output.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Ran run_program(const std::vector<std::string>& command) {
  Ran ran;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return ran;
  std::vector<std::string> words = command;
  std::vector<char*> argv = pointers(words);
  std::vector<char*> variables = without_secrets();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, argv.front(), &actions, nullptr, argv.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (failed == 0) {
    ran.output = read_all(pipe[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) ran.code = WEXITSTATUS(status);
  }
  ::close(pipe[0]);
  return ran;
}

void become_program(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  for (const char* name : {"MOLECULE_WORKSPACE_TOKEN", "MOLECULE_WORKSPACES", "ADMIN_TOKEN"}) {
    ::unsetenv(name);
  }
  ::execvp(words.front().c_str(), pointers(words).data());
}

}  // namespace molecule::cli
