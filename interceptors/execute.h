#ifndef HAPAX_INTERCEPTORS_EXECUTE_H_
#define HAPAX_INTERCEPTORS_EXECUTE_H_

#include <utility>

#include "hapax/interceptors/call.h"
#include "hapax/storage/store.h"

namespace hapax {

// Executes the transaction of a call that mutates: with SQL if its method uses it.
inline void ExecuteFor(const UnaryCall& call, Store& store, Store::Body body, Store::Done done) {
  const std::string_view party = call.context.tenant;
  if (call.method().uses_sql) return store.ExecuteWithSql(std::move(body), std::move(done), party);
  store.Execute(std::move(body), std::move(done), party);
}

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_EXECUTE_H_
