#include "workspace/sync/report/status_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/files/files.hpp"
#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::workspace {

namespace {

/// Always the same, so that a shorter record overwrites all of a longer one. Within a page, so that
/// readers see all of it or none.
constexpr std::size_t record_bytes = 2048;
// All of them fit into a record even if every byte must be escaped.
constexpr std::size_t max_error_bytes = 360;
constexpr std::size_t max_trouble_bytes = 220;
constexpr std::size_t max_next_bytes = 200;

std::filesystem::path file_in(const std::filesystem::path& state_folder) {
  return state_folder / status_file_name;
}

std::optional<std::string> text_of(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return format_rfc3339(*time);
}

std::optional<WallTime> time_of(json::Value value) {
  return parse_rfc3339(value.string_or(""));
}

/// Processes of other versions read it too: "last_beat" keeps its name.
std::string to_json(const OwnerRecord& record) {
  json::Writer writer;
  {
    auto object = writer.object();
    object.field("session", record.session);
    object.field("pid", record.pid);
    object.nullable("since", text_of(record.since));
    object.nullable("last_beat", text_of(record.last_heartbeat));
    object.nullable("last_poll", text_of(record.last_poll));
    object.field("last_error", record.last_error);
    object.nullable("last_error_at", text_of(record.last_error_at));
    object.field("disabled", record.disabled);
    if (record.trouble) {
      object.field("failing", record.trouble->what);
      object.field("failing_since", format_rfc3339(record.trouble->since));
      object.field("failing_next", record.trouble->next);
    }
  }
  return std::move(writer).take();
}

std::optional<Trouble> read_trouble(json::Value root) {
  const auto since = time_of(root["failing_since"]);
  if (!since) return std::nullopt;
  return Trouble{.what = text::one_line(root["failing"].string_or("")),
                 .since = *since,
                 .next = text::one_line(root["failing_next"].string_or(""))};
}

std::string cut(std::string_view text, std::size_t bytes) {
  return std::string(text::prefix_bytes(text::one_line(text), bytes));
}

}  // namespace

StatusFile::StatusFile(const std::filesystem::path& state_folder, Clock& clock,
                       Clock::duration refresh)
    : path_(file_in(state_folder)), clock_(clock), refresh_(refresh) {}

StatusFile::~StatusFile() {
  if (fd_ >= 0) ::close(fd_);
}

void StatusFile::begin(std::int64_t session) {
  record_ = {};
  inbox_.reset();
  presence_.reset();
  record_.session = session;
  record_.pid = ::getpid();
  record_.since = clock_.wall();
  write();
}

void StatusFile::heartbeat_sent() {
  const bool first = !record_.last_heartbeat;
  record_.last_heartbeat = clock_.wall();
  succeeded(Part::presence, first);
}

void StatusFile::polled(bool news) {
  const bool first = !record_.last_poll;
  record_.last_poll = clock_.wall();
  succeeded(Part::inbox, news || first);
}

void StatusFile::note_error(std::string_view what) {
  record_.last_error = cut(what, max_error_bytes);
  record_.last_error_at = clock_.wall();
}

void StatusFile::failed(Part part, std::string_view what, std::string_view next) {
  note_error(what);
  std::optional<Trouble>& trouble = trouble_of(part);
  const WallTime since = trouble ? trouble->since : clock_.wall();
  trouble = Trouble{
      .what = cut(what, max_trouble_bytes), .since = since, .next = cut(next, max_next_bytes)};
  record_.trouble = inbox_ ? inbox_ : presence_;
  write();
}

void StatusFile::succeeded(Part part, bool news) {
  const bool recovered = trouble_of(part).has_value();
  trouble_of(part).reset();
  record_.trouble = inbox_ ? inbox_ : presence_;
  if (news || recovered || clock_.now() - refresh_ >= written_) write();
}

void StatusFile::disable(std::string_view why) {
  record_.disabled = true;
  note_error(why);
  write();
  end();
}

void StatusFile::wake_watchers() {
  if (fd_ < 0) return;
  // A record ends with this byte anyway.
  [[maybe_unused]] const ssize_t ignored = ::pwrite(fd_, "\n", 1, record_bytes - 1);
}

void StatusFile::write() {
  if (record_.session == 0) return;
  written_ = clock_.now();
  if (fd_ >= 0 && !files::still_named(path_, fd_)) ::close(std::exchange(fd_, -1));
  if (fd_ < 0) fd_ = files::open_regular(path_, O_WRONLY | O_CREAT);
  std::string text = to_json(record_);
  text.resize(record_bytes - 1, ' ');
  text += '\n';
  [[maybe_unused]] const ssize_t ignored = ::pwrite(fd_, text.data(), text.size(), 0);
}

std::optional<OwnerRecord> read_owner_record(const std::filesystem::path& state_folder) {
  const auto content = files::read(file_in(state_folder), record_bytes);
  json::Document document;
  if (!content.ok() || !document.parse(*content).ok()) return std::nullopt;
  const json::Value root = document.root();
  OwnerRecord record;
  record.session = root["session"].integer().value_or(0);
  if (record.session <= 0) return std::nullopt;
  record.pid = root["pid"].integer().value_or(0);
  record.since = time_of(root["since"]);
  record.last_heartbeat = time_of(root["last_beat"]);
  record.last_poll = time_of(root["last_poll"]);
  record.last_error = text::one_line(root["last_error"].string_or(""));
  record.last_error_at = time_of(root["last_error_at"]);
  record.disabled = root["disabled"].boolean().value_or(false);
  record.trouble = read_trouble(root);
  return record;
}

}  // namespace molecule::workspace
