// Code by being included, whatever its name.
#include "mcp/table.def"
