#include "hapax/server/hosting/running_handlers.h"

#include <algorithm>
#include <atomic>

namespace hapax {
namespace {

// The handler that one thread runs. A slot is reused but never freed, since other threads may read it at any time.
struct Slot {
  std::atomic<const std::string*> name = nullptr;  // Null if none.
  std::atomic<bool> is_taken = true;
  Slot* next = nullptr;  // Constant once the slot is in the list.
};

std::atomic<Slot*> first_slot = nullptr;

Slot* TakeSlot() {
  for (Slot* slot = first_slot; slot != nullptr; slot = slot->next) {
    bool taken = false;
    if (slot->is_taken.compare_exchange_strong(taken, true)) return slot;
  }
  auto* slot = new Slot;
  slot->next = first_slot;
  while (!first_slot.compare_exchange_weak(slot->next, slot)) {
  }
  return slot;
}

// Holds the slot of a thread until the thread ends.
struct SlotOfThread {
  Slot* const slot = TakeSlot();
  ~SlotOfThread() { slot->is_taken = false; }
};

std::atomic<const std::string*>& RunningOnThisThread() {
  thread_local const SlotOfThread slot_of_thread;
  return slot_of_thread.slot->name;
}

}  // namespace

RunningHandler::RunningHandler(const std::string& name)
    : running_(RunningOnThisThread()), outer_(running_.load(std::memory_order_relaxed)) {
  running_.store(&name, std::memory_order_relaxed);
}

RunningHandler::~RunningHandler() { running_.store(outer_, std::memory_order_relaxed); }

std::vector<const std::string*> RunningAmong(const std::vector<const std::string*>& names) {
  std::vector<const std::string*> running;
  for (const Slot* slot = first_slot; slot != nullptr; slot = slot->next) {
    const auto found = std::find(names.begin(), names.end(), slot->name.load(std::memory_order_relaxed));
    if (found != names.end()) running.push_back(*found);
  }
  return running;
}

}  // namespace hapax
