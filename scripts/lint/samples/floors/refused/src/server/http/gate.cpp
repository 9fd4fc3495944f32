#include "base/sqlite.hpp"  // refused: in server, only server/store includes base/sqlite.hpp
