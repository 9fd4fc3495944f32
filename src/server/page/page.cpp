#include "server/page/page.hpp"

#include <algorithm>
#include <string>

#include "base/text/text.hpp"

namespace molecule::server::page {

namespace {

constexpr const char* without_page =
    "molecule-platform " MOLECULE_VERSION
    "\n\n"
    "This program was built without its page for people (-Dpage=disabled, or esbuild and the "
    "page's\n"
    "libraries were missing). Its HTTP API is complete:\n\n"
    "  GET  /health        health check\n"
    "  GET  /workspaces    all workspaces (Authorization: Bearer <admin token>)\n"
    "  POST /workspaces    {\"name\":\"A\",\"external\":true,\"delivery_mode\":\"poll\"}:\n"
    "                      a new workspace, with snippets that connect an agent\n"
    "  GET  /ws            WebSocket: events as they happen\n\n"
    "The admin token is in the file admin_token of the data folder, unless ADMIN_TOKEN is set.\n";

/// Every browser names gzip without a weight; `gzip;q=0` refuses it.
bool accepts_gzip(const Request& request) {
  const std::string accepted = text::lower(request.header("Accept-Encoding").value_or(""));
  for (const std::string& coding : text::split_list(accepted, ',')) {
    if (text::trim(coding) == "gzip") return true;
  }
  return false;
}

bool has_tag(const Request& request, const File& file) {
  const std::string_view known = request.header("If-None-Match").value_or("");
  return known.find(file.tag) != std::string_view::npos;
}

/// `caching` is the value of Cache-Control.
Reply file_reply(const Request& request, const File& file, std::string_view caching) {
  Reply reply;
  reply.content_type = file.content_type;
  reply.headers.emplace_back("Cache-Control", caching);
  reply.headers.emplace_back("ETag", '"' + std::string(file.tag) + '"');
  reply.headers.emplace_back("Vary", "Accept-Encoding");
  if (has_tag(request, file)) {
    reply.status = 304;
    return reply;
  }
  const bool compressed = accepts_gzip(request);
  if (compressed) reply.headers.emplace_back("Content-Encoding", "gzip");
  reply.body = compressed ? file.compressed : file.plain;
  return reply;
}

const File* find_file(const std::vector<File>& files, std::string_view name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [name](const File& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace

Reply page_reply(const std::vector<File>& files, const Request& request) {
  const File* page = find_file(files, "");
  if (page == nullptr) return text_reply(200, without_page);
  // It names the other files, so it must never be old.
  return file_reply(request, *page, "no-cache");
}

awaitable<Reply> get_page(Context&, Request request) {
  co_return page_reply(files(), request);
}

awaitable<Reply> get_page_file(Context&, Request request) {
  const std::string& name = request.args.at(0);
  const File* file = find_file(files(), name);
  if (file == nullptr) co_return text_reply(404, "404 page not found");
  co_return file_reply(request, *file, "public, max-age=31536000, immutable");
}

}  // namespace molecule::server::page
