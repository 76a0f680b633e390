#ifndef HAPAX_BASE_STOP_REQUESTS_H_
#define HAPAX_BASE_STOP_REQUESTS_H_

namespace hapax {

// Waits until somebody asks for a stop or a reload: the process's signals, or another thread.
//
//   StopRequests requests(StopRequests::Signals::kHandled);
//   while (requests.Await().kind == StopRequests::Kind::kReload) Reload();
//
// SIGTERM and SIGINT ask for a stop, SIGHUP for a reload. Their handlers are installed from the constructor until
// IgnoreSignals, for the whole process; what was there before is put back with the last object that has them. Every
// object that has them is asked by a signal.
//
// No thread's mask is changed for longer than Await. A program that is executed has the default handlers. A child of
// fork that executes none has the handlers that were there before.
//
// Thread-safety: safe. Ask may be called in a signal handler.
class StopRequests {
 public:
  enum class Signals {
    kHandled,
    kLeftAlone,  // Only Ask asks.
  };
  enum class Kind {
    kStop,
    kReload,
  };
  struct Request {
    Kind kind = Kind::kStop;
    int signal = 0;  // The signal that asked first for a stop; 0: none did.
  };

  explicit StopRequests(Signals signals);
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  // Waits for a request. A stop is asked for once and for all: every later Await returns at once. While it waits, the
  // calling thread takes the signals though its mask blocks them.
  [[nodiscard]] Request Await();

  // Asks for a stop.
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
