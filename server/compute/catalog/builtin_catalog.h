#ifndef HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_
#define HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_

namespace hapax::compute {

// The catalog of a server that is given no file, as the text of such a file. Every example in EC2's
// documentation of client tokens runs with it as it stands.
extern const char kBuiltInCatalog[];

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_
