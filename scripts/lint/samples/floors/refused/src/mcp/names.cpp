// Allowed rooms, but not by room and file, or by no file at all.
#include "wire/framing.hpp"  // refused: name room and file: #include "mcp/wire/framing.hpp"
#include "./wire/framing.hpp"  // refused: name room and file: #include "mcp/wire/framing.hpp"
#include <base/result.hpp>  // refused: name room and file: #include "base/result.hpp"
#include "../../include/molecule/mcp/session.hpp"  // refused: name room and file
#include "tools/nowhere.hpp"  // refused: is no file of this project
#include "molecule/tools/x.hpp"  // refused: is no file of this project
#include "curl/curl.h"  // refused: is no file of this project
#include HEADER  // refused: an include must name a file
import molecule.tools;  // refused: an include must name a file
#include <curl/curl.h>  // refused: <curl/curl.h> belongs in net
#include <sqlite3.h>  // refused: <sqlite3.h> belongs in base
