#include "workspace/config/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "base/files/files.hpp"
#include "base/files/paths.hpp"
#include "base/sha256.hpp"
#include "base/text/byte_order_mark.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "workspace/config/state_folder.hpp"

namespace molecule::workspace {

namespace {

struct Token {
  std::string text;
  std::string source;
};

/// No token, or why what is there cannot be one.
using Found = Result<std::optional<Token>, std::string>;

constexpr std::size_t max_token_bytes = 4096;
/// Refused and dead tokens; older ones are tried again.
constexpr std::size_t max_remembered = 16;

std::filesystem::path token_file(const std::filesystem::path& state_folder) {
  return state_folder / ".auth_token";
}

std::filesystem::path secret_file(const std::filesystem::path& state_folder) {
  return state_folder / ".platform_inbound_secret";
}

/// The placeholder in the canvas's snippets until a user inserts the token.
bool is_placeholder(std::string_view token) {
  return token.starts_with('<') || token.find("ROTATE_TO_REVEAL_TOKEN") != std::string_view::npos ||
         token.find("{{") != std::string_view::npos;
}

/// Checks a trimmed token; a problem names `source`, never the content.
Found checked(std::string_view token, std::string_view source) {
  if (is_placeholder(token)) {
    return Failure{
        fmt::format("{} still holds the placeholder of the snippet: put the workspace's "
                    "token there (canvas → Tokens tab)",
                    source)};
  }
  if (token.find_first_of(" \t\r\n\v\f") != std::string_view::npos) {
    return Failure{
        fmt::format("{} has white space inside the token: it must hold the token alone", source)};
  }
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > '\x20' && c < '\x7F'; });
  if (!printable || token.size() > max_token_bytes) {
    return Failure{fmt::format("{} holds what cannot be a token: copy it again", source)};
  }
  return std::optional(Token{.text = std::string(token), .source = std::string(source)});
}

std::string reading_problem(const files::Error& error, std::string_view source) {
  switch (error.code) {
    case ENOENT:
      return fmt::format("{}: there is no such file", source);
    case EACCES:
    case EPERM:
      return fmt::format("{}: permission to read it was denied", source);
    default:
      return fmt::format("{}: {}", source, error.message);
  }
}

std::string_view token_in(std::string_view content) {
  return text::trim(text::without_byte_order_mark(content));
}

/// `source`: the file's name for people.
Found from_file(const std::filesystem::path& path, std::string_view source,
                files::Links links = files::Links::refuse) {
  auto content = files::read(path, std::size_t{1} << 16, links);
  if (!content.ok()) return Failure{reading_problem(content.error(), source)};
  if (!text::valid_utf8(*content)) return Failure{fmt::format("{}: it is not UTF-8 text", source)};
  const std::string_view token = token_in(*content);
  if (token.empty()) return Failure{fmt::format("{}: the file is empty", source)};
  return checked(token, source);
}

Found from_variable(const TokenSource& source) {
  const std::string value = source.environment("MOLECULE_WORKSPACE_TOKEN").value_or("");
  const std::string_view token = text::trim(value);
  if (token.empty()) return std::optional<Token>();
  return checked(token, source.name);
}

Found from_configured_file(const TokenSource& source) {
  const auto path = configured_token_file(source);
  if (!path.ok()) {
    return Failure{fmt::format("MOLECULE_WORKSPACE_TOKEN_FILE: {}", path.error())};
  }
  if (path->empty()) return std::optional<Token>();
  // Orchestrators provide secrets as symbolic links.
  return from_file(*path, fmt::format("MOLECULE_WORKSPACE_TOKEN_FILE ({})", path->string()),
                   files::Links::follow);
}

Found from_state_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = token_file(folder);
  auto content = files::read(path, std::size_t{1} << 16);
  const int code = content.ok() ? 0 : content.error().code;
  const bool absent = code == ENOENT || code == ENOTDIR;
  if (absent || (content.ok() && token_in(*content).empty())) return std::optional<Token>();
  return from_file(path, path.string());
}

/// The platform's container has its state in one folder, or below it for several workspaces.
bool in_container(const std::filesystem::path& folder) {
  const std::filesystem::path normal = folder.lexically_normal();
  return normal == "/configs" || normal.parent_path() == "/configs";
}

/// Hashes, one per line.
std::filesystem::path dead_file(const std::filesystem::path& state_folder) {
  return state_folder / ".dead_tokens";
}

std::vector<std::string> read_dead(const std::filesystem::path& state_folder) {
  auto content = files::read(dead_file(state_folder), std::size_t{1} << 14);
  return content.ok() ? text::split_list(*content, '\n') : std::vector<std::string>();
}

/// The first token that is not known to be refused; if all are, the first of all, since only the
/// platform can say that it is still so.
Found find_token(const TokenSource& source, const std::filesystem::path& folder,
                 const std::vector<std::string>& refused) {
  enum class From { variable, file, state };
  using enum From;
  // Inside a container the platform puts the current token into the state folder; the
  // environment is the one of the container's start.
  const std::array order =
      in_container(folder) ? std::array{state, variable, file} : std::array{variable, file, state};
  const std::vector<std::string> dead = read_dead(folder);
  std::optional<Token> last_resort;
  for (const From from : order) {
    Found found = from == variable ? from_variable(source)
                  : from == file   ? from_configured_file(source)
                                   : from_state_folder(folder);
    if (!found.ok()) return found;
    if (!found->has_value()) continue;
    const std::string hash = sha256((*found)->text);
    if (std::ranges::find(dead, hash) == dead.end() &&
        std::ranges::find(refused, hash) == refused.end()) {
      return found;
    }
    if (!last_resort) last_resort = std::move(*found);
  }
  return last_resort;
}

Result<void, std::string> written(Result<void, files::Error> outcome) {
  if (!outcome.ok()) return Failure{outcome.error().message};
  return {};
}

}  // namespace

Result<std::filesystem::path, std::string> configured_token_file(const TokenSource& source) {
  const std::string named = source.environment("MOLECULE_WORKSPACE_TOKEN_FILE").value_or("");
  const std::string_view given = text::trim(named);
  if (given.empty()) return std::filesystem::path();
  return files::configured_path(given, source.environment("HOME").value_or(""));
}

bool is_own_file(const WorkspaceConfig& workspace, const files::Identity& file) {
  if (is_state_file(workspace.state_folder, file)) return true;
  const auto path = configured_token_file(workspace.token);
  std::error_code ignored;
  return path.ok() && !path->empty() &&
         files::identity(std::filesystem::canonical(*path, ignored)) == file;
}

Credentials::Credentials(TokenSource source, std::filesystem::path state_folder)
    : source_(std::move(source)), state_folder_(std::move(state_folder)) {}

Result<void, std::string> Credentials::reload() {
  Found found = find_token(source_, state_folder_, refused_);
  if (!found.ok()) return Failure{found.error()};
  if (!found->has_value()) return {};
  token_ = std::move((*found)->text);
  token_source_ = std::move((*found)->source);
  return {};
}

Result<void, std::string> Credentials::require() {
  auto found = reload();
  if (!found.ok() || !token_.empty()) return found;
  if (source_.name != TokenSource().name) {
    return Failure{
        fmt::format("{} is missing: set it to the token of the canvas → Tokens tab", source_.name)};
  }
  return Failure{
      fmt::format("MOLECULE_WORKSPACE_TOKEN is not set, nor MOLECULE_WORKSPACE_TOKEN_FILE, and "
                  "{} holds none: set one of them to the token of the canvas → Tokens tab",
                  token_file(state_folder_).string())};
}

std::string Credentials::warning() const {
  if (token_.empty() || token_.size() >= min_secret_bytes) return {};
  return fmt::format(
      "the token of {} has fewer than {} characters: anybody can guess it, and it cannot be kept "
      "out of messages",
      token_source_, min_secret_bytes);
}

void Credentials::refuse(std::string_view token) {
  if (token.empty()) return;
  std::string hash = sha256(token);
  if (std::ranges::find(refused_, hash) != refused_.end()) return;
  if (refused_.size() >= max_remembered) refused_.erase(refused_.begin());
  refused_.push_back(std::move(hash));
}

bool Credentials::has_other_than(std::string_view token) const {
  return token_ != token && std::ranges::find(refused_, sha256(token_)) == refused_.end();
}

std::filesystem::path Credentials::file_for_token() const {
  const auto path = configured_token_file(source_);
  const bool configured = path.ok() && !path->empty() && from_variable(source_).ok() &&
                          token_source_.find(path->string()) != std::string::npos;
  return configured ? *path : token_file(state_folder_);
}

Result<void, std::string> Credentials::remember_dead(std::string_view token) {
  std::vector<std::string> dead = read_dead(state_folder_);
  if (dead.size() >= max_remembered) dead.erase(dead.begin());
  dead.push_back(sha256(token));
  std::string lines;
  for (const std::string& hash : dead) lines += hash + '\n';
  return written(files::replace(dead_file(state_folder_), lines));
}

Result<void, std::string> Credentials::keep_issued_token(const std::string& token) {
  Found usable = checked(text::trim(token), "the platform's auth_token");
  if (!usable.ok()) return Failure{usable.error()};
  if (!usable->has_value() || (*usable)->text.empty()) return {};
  const std::string held = std::exchange(token_, std::move((*usable)->text));
  if (held == token_) return {};
  token_source_ = token_file(state_folder_).string();
  // First the new one: whatever happens in between, it is tried once the other is refused.
  auto kept = written(files::replace(token_file(state_folder_), token_));
  if (!kept.ok() || held.empty()) return kept;
  return remember_dead(held);
}

Result<void, std::string> Credentials::keep_inbound_secret(const std::string& secret) {
  if (secret.empty()) return {};
  const std::filesystem::path path = secret_file(state_folder_);
  auto present = files::read(path, std::size_t{1} << 16);
  if (present.ok() && text::trim(*present) == text::trim(secret)) return {};
  return written(files::replace(path, secret));
}

}  // namespace molecule::workspace
