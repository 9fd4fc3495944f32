#include "platform/client.hpp"  // refused: mcp (floor 2) uses platform (floor 2)
