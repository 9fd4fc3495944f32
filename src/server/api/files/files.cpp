#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "server/api/files/pending_uploads.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/http/multipart.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_files = 64;
constexpr std::size_t max_name_bytes = 100;
constexpr std::size_t max_extension_bytes = 16;
constexpr std::size_t max_mime_type_bytes = 100;

/// The files of a workspace that does not poll go through its own server (platform-api.md 4.5), and
/// this platform forwards no files.
std::optional<Reply> mode_refusal(const WorkspaceRow& workspace) {
  if (workspace.delivery_mode == "poll") return std::nullopt;
  if (!workspace.url || workspace.url->empty()) {
    return error_reply(503, "workspace url not registered yet");
  }
  return error_reply(502, "workspace unreachable: this platform does not forward files");
}

/// A one-line name without folders. Truncation keeps the extension.
std::string safe_name(std::string_view given) {
  const std::size_t folders = given.find_last_of("/\\");
  if (folders != std::string_view::npos) given.remove_prefix(folders + 1);
  const std::string line = text::one_line(given);
  const std::string_view name = text::trim(line);
  if (name.empty() || name == "." || name == "..") return "file";
  if (name.size() <= max_name_bytes) return std::string(name);
  const std::size_t dot = name.rfind('.');
  const bool kept = dot != std::string_view::npos && name.size() - dot <= max_extension_bytes;
  const std::string_view extension = kept ? name.substr(dot) : std::string_view();
  return std::string(text::prefix_bytes(name, max_name_bytes - extension.size())).append(extension);
}

std::string safe_mime_type(std::string_view given) {
  const std::string_view type = text::trim(given.substr(0, given.find(';')));
  const std::size_t slash = type.find('/');
  const bool plain = std::ranges::all_of(type, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("/.+-_").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (!plain || slash == 0 || slash == std::string_view::npos || slash + 1 == type.size() ||
      type.size() > max_mime_type_bytes) {
    return "application/octet-stream";
  }
  return text::lower(type);
}

void write_upload(json::Object out, const PendingUpload& upload) {
  out.field("uri", fmt::format("platform-pending:{}/{}", upload.workspace_id, upload.id));
  out.field("name", upload.name);
  out.field("mimeType", upload.mime_type);
  out.field("size", upload.size);
}

std::string row_body(const PendingUpload& upload) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("file_id", upload.id);
    write_upload(std::move(out), upload);
  }
  return std::move(writer).take();
}

Reply too_large(std::string_view name, std::size_t size) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error",
              fmt::format("{} exceeds per-file limit ({} MB)", name, max_upload_bytes >> 20));
    out.field("filename", name);
    out.field("size", size);
    out.field("max", max_upload_bytes);
  }
  return json_reply(413, std::move(writer).take());
}

/// The parts of the field `files`; the failure is the reply.
Result<std::vector<FormPart>, Reply> read_files(const Request& request) {
  auto parts = parse_form(request.header("Content-Type").value_or(""), request.body, max_files);
  if (!parts) return Failure{error_reply(400, "invalid multipart/form-data body")};
  std::erase_if(*parts,
                [](const FormPart& part) { return part.name != "files" || !part.filename; });
  if (parts->empty()) return Failure{error_reply(400, "expected at least one 'files' field")};
  if (parts->size() > max_files) {
    return Failure{error_reply(400, fmt::format("at most {} files per request", max_files))};
  }
  for (const FormPart& part : *parts) {
    if (part.content.size() <= max_upload_bytes) continue;
    return Failure{too_large(safe_name(*part.filename), part.content.size())};
  }
  return *std::move(parts);
}

/// Adds the row that announces the person's file to the workspace.
awaitable<void> log_upload(Context& context, const PendingUpload& upload) {
  Activity row;
  row.workspace_id = upload.workspace_id;
  row.type = "a2a_receive";
  row.target_id = upload.workspace_id;
  row.method = "chat_upload_receive";
  row.summary = "chat_upload_receive: " + upload.name;
  row.request_body = row_body(upload);
  co_await insert_activity(context, row);
  broadcast_activity(context, row);
}

Result<PendingUpload, Reply> refuse(Reply reply) {
  return Failure{std::move(reply)};
}

/// The upload that the path names.
awaitable<Result<PendingUpload, Reply>> named_upload(Context& context, const Request& request) {
  const auto workspace = path_workspace(request);
  if (!workspace) co_return refuse(workspace.error());
  auto upload = co_await find_upload(context, *workspace, request.args.at(1));
  if (!upload) co_return refuse(error_reply(404, "pending upload not found or expired"));
  co_return *std::move(upload);
}

std::optional<std::string_view> path_problem(std::string_view path) {
  if (path.empty()) return "path query required";
  if (path.front() != '/') return "path must be absolute";
  static constexpr std::array<std::string_view, 4> roots{"/configs", "/workspace", "/home",
                                                         "/plugins"};
  const bool allowed = std::ranges::any_of(roots, [path](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
  if (!allowed) return "path must be under /configs, /workspace, /home, or /plugins";
  const std::string ended = std::string(path) + '/';
  const bool canonical =
      ended.find("//") == std::string::npos && ended.find("/./") == std::string::npos &&
      ended.find("/../") == std::string::npos && path.find('\0') == std::string_view::npos;
  if (!canonical) return "invalid path";
  return std::nullopt;
}

Reply content_reply(const Context& context, const PendingUpload& upload) {
  Reply reply;
  reply.file = upload_path(context, upload).string();
  std::error_code failure;
  if (!std::filesystem::is_regular_file(reply.file, failure)) {
    return error_reply(404, "pending upload not found or expired");
  }
  reply.content_type = upload.mime_type;
  // A browser must never show it as a page of this site.
  reply.headers.emplace_back("Content-Disposition", fmt::format("attachment; filename*=UTF-8''{}",
                                                                text::percent_encode(upload.name)));
  return reply;
}

/// The id of a staged file that a path or an uri ends with (page.md 2.10).
std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

awaitable<Reply> post_upload(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  if (auto refusal = mode_refusal(*workspace)) co_return *std::move(refusal);
  const auto files = read_files(request);
  if (!files) co_return files.error();
  std::int64_t bytes = 0;
  for (const FormPart& file : *files) bytes += static_cast<std::int64_t>(file.content.size());
  auto full = co_await refuse_files(context, workspace->id,
                                    static_cast<std::int64_t>(files->size()), bytes);
  if (full) co_return *std::move(full);

  const std::optional<std::string> source = request.caller.workspace();
  json::Writer writer;
  {
    auto reply = writer.object();
    auto list = reply.array("files");
    for (const FormPart& file : *files) {
      const PendingUpload upload{.id = context.new_id(),
                                 .workspace_id = workspace->id,
                                 .name = safe_name(*file.filename),
                                 .mime_type = safe_mime_type(file.content_type),
                                 .size = static_cast<std::int64_t>(file.content.size())};
      const bool staged = co_await stage_upload(context, upload, file.content);
      if (!staged) {
        co_return error_reply(503, "the file cannot be stored now: retry shortly");
      }
      // Its own file is no message to it, and other runtimes would take the row for one.
      if (!source) co_await log_upload(context, upload);
      write_upload(list.object(), upload);
    }
  }
  context.events.changed(workspace->id, "files");
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_content(Context& context, Request request) {
  const auto upload = co_await named_upload(context, request);
  if (!upload) co_return upload.error();
  co_return content_reply(context, *upload);
}

awaitable<Reply> post_upload_ack(Context& context, Request request) {
  const auto upload = co_await named_upload(context, request);
  if (!upload) co_return upload.error();
  co_await ack_upload(context, *upload);
  context.events.changed(upload->workspace_id, "files");
  co_return json_reply(200, R"({"acked":true})");
}

awaitable<Reply> get_limits(Context&, Request) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("per_file_bytes", max_upload_bytes);
    out.field("per_request_bytes", max_upload_bytes);
    out.field("max_attachments_per_message", max_attachments);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_download(Context& context, Request request) {
  const auto acting = path_workspace(request);
  if (!acting) co_return acting.error();
  const std::string_view path = request.parameter("path").value_or("");
  const auto upload = co_await find_upload(context, *acting, last_part(path));
  if (upload) co_return content_reply(context, *upload);
  if (const auto problem = path_problem(path)) co_return error_reply(400, *problem);
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  if (auto refusal = mode_refusal(*workspace)) co_return *std::move(refusal);
  co_return error_reply(422, "a polling workspace serves no files of its own");
}

}  // namespace molecule::server
