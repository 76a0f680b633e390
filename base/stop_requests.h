#ifndef HAPAX_BASE_STOP_REQUESTS_H_
#define HAPAX_BASE_STOP_REQUESTS_H_

namespace hapax {

// Waits for requests to stop or reload, from signals of the process or from other threads.
//
//   StopRequests requests(StopRequests::Signals::kHandled);
//   while (requests.Await().kind == StopRequests::Kind::kReload) Reload();
//
// SIGTERM and SIGINT request a stop, SIGHUP a reload. With kHandled, their handlers are installed for the whole process
// from the constructor until IgnoreSignals. The last such object restores the earlier handlers. A signal reaches every
// such object.
//
// Only Await changes the signal mask of a thread, and restores it. An executed program has the default handlers. A
// forked child that executes no program has the earlier handlers.
//
// Thread-safety: safe. Ask may be called in a signal handler.
class StopRequests {
 public:
  enum class Signals {
    kHandled,
    kLeftAlone,  // Only Ask makes requests.
  };
  enum class Kind {
    kStop,
    kReload,
  };
  struct Request {
    Kind kind = Kind::kStop;
    int signal = 0;  // The first signal that requested a stop; 0 if none did.
  };

  explicit StopRequests(Signals signals);
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  // Waits for a request. A stop is permanent: every later Await returns it at once. With kHandled, the calling thread
  // unblocks the signals while it waits.
  [[nodiscard]] Request Await();

  // Requests a stop.
  void Ask();

  // Ends the handling of signals.
  void IgnoreSignals();

 private:
  struct Box;

  Box& box_;
  const bool handles_signals_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_STOP_REQUESTS_H_
