#ifndef HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_
#define HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_

namespace hapax::compute {

// The default catalog, as the text of a catalog file. Every example in EC2's documentation of client tokens runs with
// it unchanged.
extern const char kBuiltInCatalog[];

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_CATALOG_BUILTIN_CATALOG_H_
