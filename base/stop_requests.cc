#include "hapax/base/stop_requests.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace hapax {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT, SIGHUP};
// Values of Box::stop besides signals.
constexpr int kNotAsked = -1;
constexpr int kAskedByNoSignal = 0;

sigset_t SignalSet() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kSignals) sigaddset(&signals, signal);
  return signals;
}

// Unblocks the signals on the calling thread while it exists.
class SignalsUnblocked {
 public:
  SignalsUnblocked() {
    const sigset_t signals = SignalSet();
    pthread_sigmask(SIG_UNBLOCK, &signals, &before_);
  }
  ~SignalsUnblocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsUnblocked(const SignalsUnblocked&) = delete;
  SignalsUnblocked& operator=(const SignalsUnblocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

// The requests to one object. A box is reused but never freed, since a signal handler may read it at any time.
struct StopRequests::Box {
  std::atomic<bool> takes_signals = false;
  std::atomic<int> stop = kNotAsked;
  std::atomic<bool> reload = false;
  sem_t asked;  // Posted after each change of the above.
  bool in_use = false;
  Box* next = nullptr;  // Constant once the box is in the list.

  void AskForStop(int signal) {
    int not_asked = kNotAsked;
    stop.compare_exchange_strong(not_asked, signal);
    sem_post(&asked);
  }
  void AskForReload() {
    reload = true;
    sem_post(&asked);
  }

  static Box& Take();
  static void Install();
  static void Uninstall();
  static void OnSignal(int signal);

  // The list of all boxes, for the handler.
  static inline std::atomic<Box*> first = nullptr;
  static inline std::mutex mu;          // Guards the use of boxes, and the members below.
  static inline int handler_count = 0;  // The number of objects that handle signals.
  static inline std::atomic<pid_t> process = 0;
  static inline std::array<struct sigaction, kSignals.size()> previous = {};
};

// Async-signal-safe.
void StopRequests::Box::OnSignal(int signal) {
  const int error = errno;
  if (getpid() == process) {
    for (Box* box = first; box != nullptr; box = box->next) {
      if (!box->takes_signals) continue;
      if (signal == SIGHUP) {
        box->AskForReload();
      } else {
        box->AskForStop(signal);
      }
    }
  } else {
    // This is a forked child, where no thread waits. The signal is delivered again once this returns.
    for (size_t i = 0; i < kSignals.size(); ++i) {
      if (kSignals[i] == signal) sigaction(signal, &previous[i], nullptr);
    }
    raise(signal);
  }
  errno = error;
}

void StopRequests::Box::Install() {
  process = getpid();
  struct sigaction handler = {};
  handler.sa_handler = &OnSignal;
  handler.sa_mask = SignalSet();
  handler.sa_flags = SA_RESTART | SA_ONSTACK;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &handler, &previous[i]);
}

// Leaves a handler in place that was installed later by other code.
void StopRequests::Box::Uninstall() {
  for (size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction current = {};
    sigaction(kSignals[i], nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == &OnSignal) {
      sigaction(kSignals[i], &previous[i], nullptr);
    }
  }
}

StopRequests::Box& StopRequests::Box::Take() {
  const std::lock_guard<std::mutex> lock(mu);
  Box* box = first;
  while (box != nullptr && box->in_use) box = box->next;
  if (box == nullptr) {
    box = new Box;
    sem_init(&box->asked, /*pshared=*/0, /*value=*/0);
    box->next = first;
    first = box;
  }
  box->in_use = true;
  box->stop = kNotAsked;
  box->reload = false;
  return *box;
}

StopRequests::StopRequests(Signals signals) : box_(Box::Take()), handles_signals_(signals == Signals::kHandled) {
  if (!handles_signals_) return;
  const std::lock_guard<std::mutex> lock(Box::mu);
  box_.takes_signals = true;
  if (++Box::handler_count == 1) Box::Install();
}

StopRequests::~StopRequests() {
  IgnoreSignals();
  const std::lock_guard<std::mutex> lock(Box::mu);
  box_.in_use = false;
}

void StopRequests::IgnoreSignals() {
  const std::lock_guard<std::mutex> lock(Box::mu);
  if (!box_.takes_signals.exchange(false)) return;
  if (--Box::handler_count == 0) Box::Uninstall();
}

StopRequests::Request StopRequests::Await() {
  while (true) {
    const int stop = box_.stop;
    if (stop != kNotAsked) return {.kind = Kind::kStop, .signal = stop};
    if (box_.reload.exchange(false)) return {.kind = Kind::kReload};
    if (!handles_signals_) {
      sem_wait(&box_.asked);
      continue;
    }
    const SignalsUnblocked unblocked;
    sem_wait(&box_.asked);
  }
}

void StopRequests::Ask() { box_.AskForStop(kAskedByNoSignal); }

}  // namespace hapax
