#pragma once

// One deprecated function is used on purpose (see Engine::drive).
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#include <string>

#include "base/result.hpp"

#define MOLECULE_CURL_FUNCTIONS(X) \
  X(global_init)                   \
  X(easy_init)                     \
  X(easy_cleanup)                  \
  X(easy_setopt)                   \
  X(easy_getinfo)                  \
  X(easy_pause)                    \
  X(easy_strerror)                 \
  X(slist_append)                  \
  X(slist_free_all)                \
  X(mime_init)                     \
  X(mime_addpart)                  \
  X(mime_name)                     \
  X(mime_filename)                 \
  X(mime_type)                     \
  X(mime_data_cb)                  \
  X(mime_free)                     \
  X(url)                           \
  X(url_set)                       \
  X(url_get)                       \
  X(url_cleanup)                   \
  X(free)                          \
  X(multi_init)                    \
  X(multi_cleanup)                 \
  X(multi_setopt)                  \
  X(multi_assign)                  \
  X(multi_add_handle)              \
  X(multi_remove_handle)           \
  X(multi_socket_action)           \
  X(multi_socket_all)              \
  X(multi_info_read)

namespace molecule::net {

/// libcurl's functions by their names without `curl_`, loaded at run time unless the build links
/// libcurl (the option `libcurl`).
struct CurlApi {
#define MOLECULE_CURL_MEMBER(name) decltype(&::curl_##name) name = nullptr;
  MOLECULE_CURL_FUNCTIONS(MOLECULE_CURL_MEMBER)
#undef MOLECULE_CURL_MEMBER
};

/// Loads and initialises libcurl on the first call. The error says what is missing; the next call
/// tries again. The table lives as long as the process.
Result<const CurlApi*, std::string> curl_api();

}  // namespace molecule::net
