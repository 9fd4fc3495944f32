#include <restinio/http_server.hpp>

#include "server/api/router.hpp"
