// Tells ThreadSanitizer what Abseil's locks do, in programs built with it.
//
// ThreadSanitizer sees code compiled for it, and the C library's locks. Abseil is a shared library that is not compiled
// for it, with locks of its own. Everything that they guard would be reported as a race. The program therefore replaces
// Abseil's lock functions. Its own functions announce the order that Abseil's then make: whatever precedes an unlock
// precedes whatever follows the next lock.

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

// Abseil's function, by its mangled name without the inline namespace: "N4absl", "5Mutex4LockEv".
template <typename Function>
Function* Original(const std::string& prefix, const std::string& rest) {
#define HAPAX_STRING(x) HAPAX_STRING_IMPL(x)
#define HAPAX_STRING_IMPL(x) #x
  const std::string space = HAPAX_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string name = "_Z" + prefix + std::to_string(space.size()) + space + rest;
  void* const function = ::dlsym(RTLD_NEXT, name.c_str());
  if (function == nullptr) {
    std::fprintf(stderr, "no function %s in Abseil\n", name.c_str());
    std::abort();
  }
  return reinterpret_cast<Function*>(function);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const original = Original<void(Mutex*)>("N4absl", "5Mutex4LockEv");
  original(this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  static auto* const original = Original<void(Mutex*)>("N4absl", "5Mutex6UnlockEv");
  __tsan_release(this);
  original(this);
}

bool Mutex::TryLock() {
  static auto* const original = Original<bool(Mutex*)>("N4absl", "5Mutex7TryLockEv");
  const bool locked = original(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  static auto* const original = Original<void(Mutex*)>("N4absl", "5Mutex10ReaderLockEv");
  original(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  static auto* const original = Original<void(Mutex*)>("N4absl", "5Mutex12ReaderUnlockEv");
  __tsan_release(this);
  original(this);
}

void Mutex::LockWhen(const Condition& cond) {
  static auto* const original = Original<void(Mutex*, const Condition&)>("N4absl", "5Mutex8LockWhenERKNS0_9ConditionE");
  original(this, cond);
  __tsan_acquire(this);
}

void Mutex::Await(const Condition& cond) {
  static auto* const original = Original<void(Mutex*, const Condition&)>("N4absl", "5Mutex5AwaitERKNS0_9ConditionE");
  __tsan_release(this);
  original(this, cond);
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& cond, Duration timeout) {
  static auto* const original = Original<bool(Mutex*, const Condition&, Duration)>(
      "N4absl", "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  __tsan_release(this);
  const bool result = original(this, cond, timeout);
  __tsan_acquire(this);
  return result;
}

bool Mutex::AwaitWithDeadline(const Condition& cond, Time deadline) {
  static auto* const original =
      Original<bool(Mutex*, const Condition&, Time)>("N4absl", "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  __tsan_release(this);
  const bool result = original(this, cond, deadline);
  __tsan_acquire(this);
  return result;
}

// An unlocking thread evaluates the conditions of the waiters. It still holds the lock, but the unlock was announced
// above.
bool Condition::Eval() const {
  static auto* const original = Original<bool(const Condition*)>("NK4absl", "9Condition4EvalEv");
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  const bool result = original(this);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  return result;
}

void CondVar::Wait(Mutex* mu) {
  static auto* const original = Original<void(CondVar*, Mutex*)>("N4absl", "7CondVar4WaitEPNS0_5MutexE");
  __tsan_release(mu);
  original(this, mu);
  __tsan_acquire(mu);
}

bool CondVar::WaitWithTimeout(Mutex* mu, Duration timeout) {
  static auto* const original =
      Original<bool(CondVar*, Mutex*, Duration)>("N4absl", "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  __tsan_release(mu);
  const bool result = original(this, mu, timeout);
  __tsan_acquire(mu);
  return result;
}

bool CondVar::WaitWithDeadline(Mutex* mu, Time deadline) {
  static auto* const original =
      Original<bool(CondVar*, Mutex*, Time)>("N4absl", "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  __tsan_release(mu);
  const bool result = original(this, mu, deadline);
  __tsan_acquire(mu);
  return result;
}

void Notification::Notify() {
  static auto* const original = Original<void(Notification*)>("N4absl", "12Notification6NotifyEv");
  __tsan_release(this);
  original(this);
}

void Notification::WaitForNotification() const {
  static auto* const original = Original<void(const Notification*)>("NK4absl", "12Notification19WaitForNotificationEv");
  original(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static auto* const original = Original<bool(const Notification*, Duration)>(
      "NK4absl", "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = original(this, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  static auto* const original = Original<bool(BlockingCounter*)>("N4absl", "15BlockingCounter14DecrementCountEv");
  __tsan_release(this);
  return original(this);
}

void BlockingCounter::Wait() {
  static auto* const original = Original<void(BlockingCounter*)>("N4absl", "15BlockingCounter4WaitEv");
  original(this);
  __tsan_acquire(this);
}

// The thread that drops the last reference to a status's text frees it, after all the others have finished with it.
void Status::UnrefNonInlined(uintptr_t rep) {
  static auto* const original = Original<void(uintptr_t)>("N4absl", "6Status15UnrefNonInlinedEm");
  __tsan_release(reinterpret_cast<void*>(rep));
  __tsan_acquire(reinterpret_cast<void*>(rep));
  original(rep);
}

ABSL_NAMESPACE_END
}  // namespace absl

// The remaining suppressions, each for the named library only.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return
      // Abseil's deadlock detector guards its graph with a spin lock, which is not announced above.
      "called_from_lib:libabsl_graphcycles_internal.so\n"
      // gRPC and its dependencies are not instrumented, and atomics in them are not seen. Each buffer that one gRPC
      // thread makes and another one frees would be a race.
      "called_from_lib:libgrpc.so\n"
      "called_from_lib:libgrpc++.so\n"
      "called_from_lib:libgpr.so\n"
      "called_from_lib:libabsl_cord.so\n"
      "called_from_lib:libabsl_random_internal_pool_urbg.so\n"
      "called_from_lib:libabsl_status.so\n"
      "called_from_lib:libabsl_time_zone.so\n"
      "called_from_lib:libupb.so\n"
      // A connection's TLS, which gRPC starts on one of its threads and continues on an event thread.
      "race:libssl.so\n"
      "race:libcrypto.so\n"
      // The part of gRPC's C++ clients that is compiled into the caller. It passes a call to the library and receives
      // its end on another thread. No function of Hapax is called in between.
      "race:grpc::internal::CallOp\n"
      "race:grpc::internal::CallbackUnaryCallImpl\n"
      "race_top:grpc::internal::InterceptorBatchMethodsImpl\n"
      "race_top:grpc::internal::MetadataMap\n"
      "race_top:grpc::internal::CallbackWithStatusTag\n"
      "race_top:grpc::ByteBuffer\n"
      // libstdc++ reads both counts of a shared_ptr at once; ThreadSanitizer sees each of them separately.
      "race_top:std::_Sp_counted_base*::_M_release\n"
      // RocksDB is not instrumented either: its memtable synchronizes by atomics, which are not seen. Its locks are
      // seen, unless it is called_from_lib.
      "race:librocksdb.so\n";
}
