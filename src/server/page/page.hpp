#pragma once

#include <string_view>
#include <vector>

#include "server/api/routes.hpp"

namespace molecule::server::page {

/// One file of the page as the program carries it.
struct File {
  /// Below `/page/`, with a hash of the content; empty for the page itself, which is at `/`.
  std::string_view name;
  std::string_view content_type;
  /// Changes with the content.
  std::string_view tag;
  std::string_view plain;
  /// The same, compressed with gzip.
  std::string_view compressed;
};

/// The files that the build made; empty in a build without the page.
const std::vector<File>& files();

/// The answer at `/`, from `files`; a text that says so if there are none.
Reply page_reply(const std::vector<File>& files, const Request& request);

/// `/` and `/page/:name`: the page and its files.
HandlerFunction get_page, get_page_file;
/// page.md 4: what only the page reads.
HandlerFunction get_overview, get_talk, get_log, get_files, get_install;

}  // namespace molecule::server::page
