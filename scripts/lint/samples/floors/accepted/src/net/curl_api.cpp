#include <curl/curl.h>

#include "net/http_client.hpp"
