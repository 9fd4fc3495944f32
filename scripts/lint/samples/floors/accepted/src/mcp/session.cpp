#include "molecule/mcp/session.hpp"

#include <memory>
#include <string>

#include "base/json/reader.hpp"
#include "mcp/wire/framing.hpp"

// #include "tools/x.hpp"
/* in the middle of a comment
#include "tools/x.hpp"
*/
const char* const quoted = R"(
#include "tools/x.hpp"
)";
const char* const address = "http://tools/*";
const char* const other = "*/ #include \"tools/x.hpp\"";
int importance();
