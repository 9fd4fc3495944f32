#pragma once

#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"

namespace molecule::server {

/// The texts of a message's parts, one per line.
std::string text_of(const std::vector<json::Value>& parts);

/// Writes `attachments`, if one of the parts is a file.
void write_attachments(json::Object& out, const std::vector<json::Value>& parts);

}  // namespace molecule::server
