#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

#include "base/result.hpp"

#define MOLECULE_LIBPQ_FUNCTIONS(X) \
  X(conninfoParse)                  \
  X(conninfoFree)                   \
  X(connectStartParams)             \
  X(connectPoll)                    \
  X(connectdbParams)                \
  X(exec)                           \
  X(execParams)                     \
  X(finish)                         \
  X(status)                         \
  X(socket)                         \
  X(serverVersion)                  \
  X(parameterStatus)                \
  X(errorMessage)                   \
  X(setNoticeProcessor)             \
  X(setnonblocking)                 \
  X(enterPipelineMode)              \
  X(pipelineSync)                   \
  X(sendQuery)                      \
  X(sendQueryParams)                \
  X(sendPrepare)                    \
  X(sendQueryPrepared)              \
  X(flush)                          \
  X(consumeInput)                   \
  X(isBusy)                         \
  X(setSingleRowMode)               \
  X(getResult)                      \
  X(resultStatus)                   \
  X(resultErrorField)               \
  X(ntuples)                        \
  X(getvalue)                       \
  X(getlength)                      \
  X(getisnull)                      \
  X(cmdTuples)                      \
  X(cmdStatus)                      \
  X(clear)                          \
  X(notifies)                       \
  X(freemem)

namespace molecule::server::store::postgres {

/// libpq's functions by their names without `PQ`, loaded at run time: only who uses PostgreSQL
/// needs the library.
struct LibpqApi {
#define MOLECULE_LIBPQ_MEMBER(name) decltype(&::PQ##name) name = nullptr;
  MOLECULE_LIBPQ_FUNCTIONS(MOLECULE_LIBPQ_MEMBER)
#undef MOLECULE_LIBPQ_MEMBER
};

/// Loads libpq on the first call. The error says what is missing.
Result<const LibpqApi*, std::string> load_libpq();

/// The loaded library. Throws `StoreError` if it cannot be loaded.
const LibpqApi& libpq();

struct FreeConnection {
  void operator()(PGconn* connection) const { libpq().finish(connection); }
};
struct FreeResult {
  void operator()(PGresult* result) const { libpq().clear(result); }
};
using ConnectionPtr = std::unique_ptr<PGconn, FreeConnection>;
using ResultPtr = std::unique_ptr<PGresult, FreeResult>;

}  // namespace molecule::server::store::postgres
