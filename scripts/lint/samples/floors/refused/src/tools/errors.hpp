#include "base/sqlite.hpp"  // refused: in tools, no file includes base/sqlite.hpp
