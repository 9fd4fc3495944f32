#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace molecule::cli {

/// Asks on the terminal (stderr) and reads a line of stdin; nothing at its end. `otherwise` is the
/// answer to an empty line.
std::optional<std::string> ask(std::string_view question, std::string_view otherwise = {});
/// The same without showing what is typed.
std::optional<std::string> ask_secret(std::string_view question);
bool ask_yes(std::string_view question);

}  // namespace molecule::cli
