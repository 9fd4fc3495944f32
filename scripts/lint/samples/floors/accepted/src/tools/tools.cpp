#include <fmt/format.h>

#include "base/result.hpp"
#include "molecule/mcp/session.hpp"
#include "platform/client.hpp"
#include "tools/x.hpp"
#include "workspace/workspace.hpp"
