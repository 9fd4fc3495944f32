#pragma once

#include <string_view>

namespace molecule::cli {

/// The service files of packaging/, with `@names@` to fill in.
extern const std::string_view systemd_template;
extern const std::string_view launchd_template;

}  // namespace molecule::cli
