/* The least that a program can do to answer `initialize`: bench.py measures starts against it. */
#include <string.h>
#include <unistd.h>
static char line[4096];
int main(void) {
  const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}\n";
  while (!memchr(line, '\n', sizeof line) && read(0, line, sizeof line) > 0) {
  }
  return write(1, answer, sizeof answer - 1) < 0;
}
