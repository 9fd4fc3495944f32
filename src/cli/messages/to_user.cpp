#include "cli/messages/to_user.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "base/json/writer.hpp"
#include "base/uuid.hpp"
#include "cli/commands/help.hpp"
#include "cli/messages/input.hpp"
#include "cli/messages/messages.hpp"
#include "cli/session/choose.hpp"
#include "tools/sending/attachments.hpp"

namespace molecule::cli {

namespace {

using Uploaded = std::variant<std::vector<platform::UploadedFile>, int>;

/// All of them, or the exit code.
awaitable<Uploaded> upload(workspace::Workspace& workspace, std::vector<std::string> paths) {
  Uploaded outcome = exit_code::failed;
  auto files = tools::find_files(paths, workspace.config());
  if (!files.ok()) {
    outcome = wrong_usage(fmt::format("nothing was sent: {}", files.error()));
    co_return outcome;
  }
  // A platform that does not say has the limits of older ones.
  auto said = co_await workspace.client.upload_limits();
  const platform::UploadLimits limits = said ? *said : platform::UploadLimits();
  if (const std::string over = tools::over_limits(*files, limits); !over.empty()) {
    outcome = wrong_usage(fmt::format("nothing was sent: {}", over));
    co_return outcome;
  }
  std::vector<net::FormFile> form;
  for (tools::LocalFile& file : *files) form.push_back(std::move(file.form));
  const workspace::Files::Sending sending(workspace.files);
  auto uploaded = co_await workspace.client.upload(std::move(form));
  if (!uploaded) {
    outcome = report("nothing was sent, because the files were not taken", uploaded.error());
    co_return outcome;
  }
  co_await workspace.files.sent(*uploaded);
  if (uploaded->size() == paths.size()) {
    outcome = std::move(*uploaded);
  } else {
    say_failure(fmt::format("nothing was sent: the platform took {} of {} files", uploaded->size(),
                            paths.size()));
  }
  co_return outcome;
}

awaitable<int> write_to_user(Session& session, UserMessage message, bool json) {
  const std::string id = message.message_id;
  auto code = co_await send_to_user(session.first(), std::move(message));
  if (code == exit_code::done) code = finish(sent_line(id, json));
  co_return code;
}

}  // namespace

std::string sent_line(const std::string& message_id, bool json) {
  if (!json) return message_id + "\n";
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("message_id", message_id);
  }
  return std::move(writer).take() + "\n";
}

awaitable<int> send_to_user(workspace::Workspace& workspace, UserMessage message) {
  std::vector<platform::UploadedFile> attachments;
  if (!message.paths.empty()) {
    auto uploaded = co_await upload(workspace, std::move(message.paths));
    if (const int* code = std::get_if<int>(&uploaded)) co_return *code;
    attachments = std::get<std::vector<platform::UploadedFile>>(std::move(uploaded));
  }
  auto done = co_await workspace.client.notify(std::move(message.text), std::move(attachments),
                                               std::move(message.message_id),
                                               std::move(message.in_reply_to));
  co_return done ? exit_code::done : report("the message was not sent to the user", done.error());
}

std::vector<std::string> whole_paths(const Arguments& arguments) {
  std::vector<std::string> paths;
  for (const std::string& file : arguments.values("--file")) paths.push_back(whole_path(file));
  return paths;
}

int user(const Arguments& arguments) {
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  auto text = read_text(arguments);
  if (!text.ok()) return text.error();
  UserMessage message{
      .text = std::move(*text), .paths = whole_paths(arguments), .message_id = random_uuid()};
  Session session(std::move(*config));
  return session.run(write_to_user(session, std::move(message), arguments.json()));
}

}  // namespace molecule::cli
