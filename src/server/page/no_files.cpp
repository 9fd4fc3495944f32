// Of a build without the page.

#include "server/page/page.hpp"

namespace molecule::server::page {

const std::vector<File>& files() {
  static const std::vector<File> none;
  return none;
}

}  // namespace molecule::server::page
