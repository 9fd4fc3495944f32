#pragma once

#include <string>

namespace molecule::net {

/// Which certificate authorities are trusted.
struct Authorities {
  bool standard = false;  ///< libcurl's built-in choice; else the two below, empty ones unused
  std::string file;       ///< a bundle
  std::string folder;     ///< with hashed names (or several, separated by ':')
};

/// CURL_CA_BUNDLE, else SSL_CERT_FILE and SSL_CERT_DIR, else the system's folder where it has one
/// (a bundle would be read for every connection: 20 ms in which the loop stands still).
Authorities authorities();

}  // namespace molecule::net
