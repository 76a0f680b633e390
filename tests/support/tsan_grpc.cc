// Tells ThreadSanitizer what gRPC does, as tsan_abseil.cc does for Abseil's locks: whatever precedes the start of a
// call's operations precedes their end. The server learns of the end from a completion queue, by the operations' tag.
// Clients learn of it on a thread of gRPC, which releases the call before it runs the callback.

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include "grpc/grpc.h"

extern "C" grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                                 void* reserved) {
  static auto* const original =
      reinterpret_cast<decltype(&grpc_call_start_batch)>(::dlsym(RTLD_NEXT, "grpc_call_start_batch"));
  __tsan_release(call);
  __tsan_release(tag);
  return original(call, ops, count, tag, reserved);
}

extern "C" grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  static auto* const original =
      reinterpret_cast<decltype(&grpc_completion_queue_next)>(::dlsym(RTLD_NEXT, "grpc_completion_queue_next"));
  const grpc_event event = original(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

extern "C" void grpc_call_unref(grpc_call* call) {
  static auto* const original = reinterpret_cast<decltype(&grpc_call_unref)>(::dlsym(RTLD_NEXT, "grpc_call_unref"));
  __tsan_acquire(call);
  original(call);
}
