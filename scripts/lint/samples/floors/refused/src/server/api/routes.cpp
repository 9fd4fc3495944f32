#include <restinio/http_server.hpp>  // refused: <restinio/http_server.hpp> belongs in server/http

#include "workspace/workspace.hpp"  // refused: server (floor 3) uses workspace (floor 3)
