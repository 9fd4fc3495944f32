#pragma once

namespace molecule::test {

/// While one exists, the system refuses these calls, as sandboxes and network file systems do.
struct Faults {
  int file_locks = 0;     ///< errno of F_OFD_SETLK and F_OFD_GETLK
  int all_locks = 0;      ///< errno of every record lock
  int shared_memory = 0;  ///< errno of mmap of a shared file
};

class FaultyCalls {
 public:
  explicit FaultyCalls(Faults faults);
  FaultyCalls(const FaultyCalls&) = delete;
  FaultyCalls& operator=(const FaultyCalls&) = delete;
  ~FaultyCalls();
};

}  // namespace molecule::test
