#include "base/sqlite/sqlite.hpp"  // refused: in tools, no file includes base/sqlite/sqlite.hpp
