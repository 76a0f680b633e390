#ifndef APP_OWN_H_
#define APP_OWN_H_

#include <string>

// The reason in a serialized google.rpc.ErrorInfo, and the name in a google.longrunning.Operation, as the application's
// own code reads them.
__attribute__((visibility("default"))) std::string ReasonByOwnCode(const std::string& error_info);
__attribute__((visibility("default"))) std::string NameByOwnCode(const std::string& operation);

#endif  // APP_OWN_H_
