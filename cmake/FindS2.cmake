# S2 Geometry (Debian: libs2-dev), which comes without a package file of its own.
#
# Gives S2_FOUND and the target S2::s2.
find_path(S2_INCLUDE_DIR s2/s2latlng.h)
find_library(S2_LIBRARY s2)
find_package(absl CONFIG QUIET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(S2 REQUIRED_VARS S2_LIBRARY S2_INCLUDE_DIR absl_FOUND)

if(S2_FOUND AND NOT TARGET S2::s2)
  add_library(S2::s2 UNKNOWN IMPORTED)
  set_target_properties(S2::s2 PROPERTIES
    IMPORTED_LOCATION "${S2_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${S2_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "absl::base;absl::btree;absl::flat_hash_map;absl::inlined_vector;absl::span;absl::strings")
endif()
mark_as_advanced(S2_INCLUDE_DIR S2_LIBRARY)
