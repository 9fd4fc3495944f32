#pragma once

#include <string>

namespace molecule::net {

/// The certificate authorities to trust.
struct Authorities {
  bool standard = false;  ///< libcurl's built-in choice; otherwise the two below, unless empty
  std::string file;       ///< a bundle
  std::string folder;     ///< with hashed names; or several folders, separated by ':'
};

/// CURL_CA_BUNDLE, otherwise SSL_CERT_FILE and SSL_CERT_DIR, otherwise the system's folder if it
/// has one (a bundle would be read for every connection, which blocks the loop for 20 ms),
/// otherwise the first bundle found in the places of the known distributions.
Authorities authorities();

}  // namespace molecule::net
