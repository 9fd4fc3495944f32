#include "base/sqlite/sqlite.hpp"  // refused: in server, only server/store includes base/sqlite/sqlite.hpp
