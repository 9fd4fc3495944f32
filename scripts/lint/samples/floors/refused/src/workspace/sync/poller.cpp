#include "base/sqlite/sqlite.hpp"  // refused: in workspace, only workspace/store includes base/sqlite/sqlite.hpp
