#include "hapax/client/call/caller.h"

int main() { return hapax::client::Caller::Options().budget.capacity > 0 ? 0 : 1; }
