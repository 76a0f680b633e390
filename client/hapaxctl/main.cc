#include "hapax/client/hapaxctl/app.h"

int main(int argc, char** argv) { return hapax::ctl::Main(argc, argv); }
