#include "base/child/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace molecule {

namespace {

/// One pipe; both ends close on exec.
struct Pipe {
  int read = -1;
  int write = -1;

  bool open() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe(ends.data()) != 0) return false;
    read = ends[0];
    write = ends[1];
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
    return true;
  }
  void close_both() {
    for (int* end : {&read, &write}) close_one(*end);
  }
  static void close_one(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  // exec takes them as `char*` and changes nothing.
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

/// What the child does with its standard streams and signals; nothing in it may allocate.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* folder;
  std::array<int, 3> streams;
  int report;
  pid_t parent;
};

void close_other_descriptors_on_exec() {
  constexpr int first = 3;
#if defined(__linux__) && defined(SYS_close_range)
  constexpr unsigned close_on_exec = 1U << 2U;
  if (::syscall(SYS_close_range, first, ~0U, close_on_exec) == 0) return;
#endif
  const long limit = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < (limit > 0 && limit < 65'536 ? limit : 65'536); ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

[[noreturn]] void fail(const Plan& plan) {
  const int code = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(plan.report, &code, sizeof(code));
  ::_exit(127);
}

[[noreturn]] void become(const Plan& plan) {
  ::setsid();
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before.
  if (::getppid() != plan.parent) ::_exit(127);
#endif
  for (int stream = 0; stream < 3; ++stream) {
    if (::dup2(plan.streams[static_cast<std::size_t>(stream)], stream) < 0) fail(plan);
  }
  close_other_descriptors_on_exec();
  // What this program ignores for itself, its children do not expect.
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(plan.folder) != 0) fail(plan);
  ::execve(plan.program, plan.argv, plan.environment);
  fail(plan);
}

void do_not_block(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

Spawned spawn(const std::string& program, const std::vector<std::string>& argv,
              const std::vector<std::string>& environment,
              const std::filesystem::path& working_directory) {
  Pipe input;
  Pipe output;
  Pipe errors;
  Pipe report;
  Spawned spawned;
  const auto give_up = [&](std::string problem) {
    for (Pipe* pipe : {&input, &output, &errors, &report}) pipe->close_both();
    spawned.problem = std::move(problem);
    return spawned;
  };
  for (Pipe* pipe : {&input, &output, &errors, &report}) {
    if (!pipe->open()) return give_up(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = pointers(environment);
  const Plan plan{.program = program.c_str(),
                  .argv = arguments.data(),
                  .environment = variables.data(),
                  .folder = working_directory.c_str(),
                  .streams = {input.read, output.write, errors.write},
                  .report = report.write,
                  .parent = ::getpid()};
  const pid_t process = ::fork();
  if (process == 0) become(plan);
  if (process < 0) return give_up(fmt::format("no new process: {}", std::strerror(errno)));
  for (int* end : {&input.read, &output.write, &errors.write, &report.write}) Pipe::close_one(*end);
  int code = 0;
  ssize_t told = 0;
  // Ends at once: exec closes the other end.
  do {
    told = ::read(report.read, &code, sizeof(code));
  } while (told < 0 && errno == EINTR);
  if (told > 0) {
    ::waitpid(process, nullptr, 0);
    return give_up(
        fmt::format("{} in {}: {}", program, working_directory.string(), std::strerror(code)));
  }
  Pipe::close_one(report.read);
  for (const int end : {input.write, output.read, errors.read}) do_not_block(end);
  spawned.process = process;
  spawned.input = input.write;
  spawned.output = output.read;
  spawned.errors = errors.read;
  return spawned;
}

std::string find_program(const std::string& name, std::string_view search_path) {
  if (name.find('/') != std::string::npos) return name;
  while (!name.empty() && !search_path.empty()) {
    const std::size_t colon = search_path.find(':');
    const std::string folder(search_path.substr(0, colon));
    search_path.remove_prefix(colon == std::string_view::npos ? search_path.size() : colon + 1);
    const std::string path = folder + '/' + name;
    struct stat status{};
    const bool is_file = ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    // An empty folder would be the working directory, which others may choose.
    if (!folder.empty() && is_file && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

}  // namespace molecule
