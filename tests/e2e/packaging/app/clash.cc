#include "own.h"

int main() { return NameByOwnCode("").empty() ? 0 : 1; }
