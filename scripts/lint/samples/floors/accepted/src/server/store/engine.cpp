#include "base/sqlite/sqlite.hpp"
