#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "workspace/config/config.hpp"

namespace molecule::cli {

/// Which program runs a user's services.
enum class Manager { systemd, launchd };
inline constexpr Manager manager =
#ifdef __APPLE__
    Manager::launchd;
#else
    Manager::systemd;
#endif

inline constexpr std::string_view unit_name = "molecule-mcp.service";
inline constexpr std::string_view agent_label = "org.molecule.molecule-mcp";

/// Where this user's service file goes.
std::filesystem::path service_path(Manager which, const workspace::Environment& environment);
/// The unit that a package has installed for all users; empty if there is none.
std::filesystem::path packaged_unit();
/// Where launchd's agent writes its log.
std::filesystem::path log_path(const workspace::Environment& environment);

/// The file's text, from the same template as the packages'.
std::string service_text(Manager which, std::string_view program,
                         const workspace::Environment& environment);

}  // namespace molecule::cli
