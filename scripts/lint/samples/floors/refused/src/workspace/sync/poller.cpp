#include "base/sqlite.hpp"  // refused: in workspace, only workspace/store includes base/sqlite.hpp
