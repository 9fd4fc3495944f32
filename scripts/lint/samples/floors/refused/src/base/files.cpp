#include "net/http_client.hpp"  // refused: base (floor 0) uses net (floor 1)
