// One include of a higher floor, in every way that a compiler takes.
#include "tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
#include"tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
  #  include   "tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
#	include	"tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
#/* refused: mcp (floor 2) uses tools (floor 4) */include/**/"tools/x.hpp"
/* refused: mcp (floor 2) uses tools (floor 4) */ # include "tools/x.hpp"
/* refused: mcp (floor 2) uses tools (floor 4) */ #include \
  "tools/x.hpp"
/* refused: mcp (floor 2) uses tools (floor 4) */ #include /*
*/ "tools/x.hpp"
/* refused: mcp (floor 2) uses tools (floor 4) */ #incl\
ude "tools/x.hpp"
%:include "tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
#include_next "tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
#import "tools/x.hpp"  // refused: mcp (floor 2) uses tools (floor 4)
import "tools/x.hpp";  // refused: mcp (floor 2) uses tools (floor 4)
export import "tools/x.hpp";  // refused: mcp (floor 2) uses tools (floor 4)
