#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/message_ids.hpp"
#include "tools/peers/choose.hpp"
#include "tools/sending/attachments.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

mcp::ToolResult nothing_sent(std::string_view why) {
  return {.text = fmt::format("Nothing was sent: {}. Correct or leave out the attachments.", why),
          .is_error = true};
}

std::string sent(std::size_t attachments) {
  if (attachments == 0) return "Message sent to user.";
  return fmt::format("Message sent to user with {} attachment{}.", attachments,
                     attachments == 1 ? "" : "s");
}

awaitable<mcp::ToolResult> send_message_to_user(Services& services, std::shared_ptr<MessageIds> ids,
                                                mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  Note note;
  note.text = arguments.text("message");
  note.paths = arguments.strings("attachments");
  workspace::Workspace& workspace = workspace_for_user(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  MessageIds::Attempt attempt(*ids, workspace.id(), content_of(note),
                              call.meta("claudecode/toolUseId").value_or(""));
  mcp::ToolResult result = co_await send_to_user(workspace, std::move(note), attempt.id());
  if (!result.is_error) attempt.taken();
  co_return result;
}

/// If the platform does not say, the limits of older platforms apply.
awaitable<platform::UploadLimits> limits_of(platform::Client& client) {
  auto said = co_await client.upload_limits();
  platform::UploadLimits limits;
  if (said) limits = *said;
  co_return limits;
}

using Uploaded = Result<std::vector<platform::UploadedFile>, mcp::ToolResult>;

/// All files of `paths`; the failure is what the agent is told.
awaitable<Uploaded> upload(workspace::Workspace& workspace, std::vector<std::string> paths) {
  Uploaded outcome = std::vector<platform::UploadedFile>();
  if (paths.empty()) co_return outcome;
  auto files = find_files(paths, workspace.config());
  if (!files) {
    outcome = Failure{nothing_sent(files.error())};
    co_return outcome;
  }
  const auto limits = co_await limits_of(workspace.client);
  if (const std::string over = over_limits(*files, limits); !over.empty()) {
    outcome = Failure{nothing_sent(over)};
    co_return outcome;
  }
  std::vector<net::FormFile> form;
  for (LocalFile& file : *files) form.push_back(std::move(file.form));
  const workspace::Files::Sending sending(workspace.files);
  auto uploaded = co_await workspace.client.upload(std::move(form));
  if (!uploaded) {
    outcome = Failure{failure("Nothing was sent, because the files were not taken", About::files,
                              uploaded.error())};
    co_return outcome;
  }
  co_await workspace.files.sent(*uploaded);
  if (uploaded->size() == paths.size()) {
    outcome = std::move(*uploaded);
  } else {
    outcome = Failure{nothing_sent(
        fmt::format("the platform took {} of {} files", uploaded->size(), paths.size()))};
  }
  co_return outcome;
}

}  // namespace

std::string content_of(const Note& note) {
  std::string content = note.text;
  for (const std::string& path : note.paths) content += '\0' + path;
  return content;
}

awaitable<mcp::ToolResult> send_to_user(workspace::Workspace& workspace, Note note,
                                        std::string message_id) {
  mcp::ToolResult result;
  const std::size_t attached = note.paths.size();
  auto uploaded = co_await upload(workspace, std::move(note.paths));
  if (!uploaded) {
    result = std::move(uploaded.error());
    co_return result;
  }
  auto done = co_await workspace.client.notify(std::move(note.text), std::move(*uploaded),
                                               std::move(message_id), std::move(note.in_reply_to));
  if (done) {
    result.text = sent(attached);
  } else {
    result = failure("The message was not sent to the user", About::user, done.error());
  }
  co_return result;
}

void add_user_message_tools(ToolRegistry& tools) {
  Services& services = tools.services();
  tools.add({.name = "send_message_to_user",
             .description = "Write to your user unasked: a question, or news of long work. Answer "
                            "messages with reply.",
             .input_schema = R"({"type":"object","properties":{"message":{"type":"string"},)"
                             R"("attachments":{"type":"array","items":{"type":"string"},)"
                             R"("description":"absolute paths"}},"required":["message"]})",
             .hints = sends,
             .choice = users_argument},
            std::make_shared<MessageIds>(services.clock, services.config.timing.same_message),
            send_message_to_user);
}

}  // namespace molecule::tools
