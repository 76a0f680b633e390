#ifndef HAPAX_CLIENT_WIRE_ENDPOINT_CONNECTION_H_
#define HAPAX_CLIENT_WIRE_ENDPOINT_CONNECTION_H_

#include "hapax/client/wire/connection.h"

namespace hapax::client {

// A connection to one of several endpoints.
//
// Thread-safety: safe.
class EndpointConnection : public Connection {
 public:
  // Returns whether the endpoint is connected. Starts to connect it if it is not, and does not wait. May run callbacks
  // of attempts on this thread.
  [[nodiscard]] virtual bool IsConnected() = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_ENDPOINT_CONNECTION_H_
