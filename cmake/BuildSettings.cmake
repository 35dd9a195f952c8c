# One interface target carries what every one of our targets is compiled with; nothing is global.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

find_program(PICKET_CCACHE ccache)
if(PICKET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # NOHASHDIR: several build folders of one source tree share their objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${PICKET_CCACHE})
endif()

add_library(picket_build INTERFACE)
target_compile_features(picket_build INTERFACE cxx_std_20)
target_include_directories(picket_build INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(picket_build INTERFACE "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")

target_compile_options(picket_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wsign-conversion -Wdouble-promotion -Wformat=2
  -Wimplicit-fallthrough -Wundef -Werror=return-type -Werror=unused-result
  # Designated initializers leave defaults out on purpose.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(picket_build INTERFACE
    -Wduplicated-cond -Wlogical-op -Wsuggest-override -Wmisleading-indentation)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False with operator+ of std::string at -O2: gcc bugs 105329 and 105651.
    target_compile_options(picket_build INTERFACE -Wno-restrict)
  endif()
else()
  # The annotated mutexes of base/ are checked by clang.
  target_compile_options(picket_build INTERFACE -Wthread-safety)
endif()
if(PICKET_WERROR)
  target_compile_options(picket_build INTERFACE -Werror)
endif()

if(PICKET_SANITIZE)
  target_compile_options(picket_build INTERFACE
    -fsanitize=${PICKET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(picket_build INTERFACE -fsanitize=${PICKET_SANITIZE})
  if(PICKET_SANITIZE MATCHES "thread")
    target_link_options(picket_build INTERFACE
      "-Wl,--version-script=${PROJECT_SOURCE_DIR}/tests/sanitizers/exports.map")
  endif()
  # gcc and clang have no macro in common that says so.
  target_compile_definitions(picket_build INTERFACE PICKET_SANITIZED)
endif()
if(PICKET_FUZZ)
  target_compile_options(picket_build INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(PICKET_HARDENING)
  target_compile_options(picket_build INTERFACE
    -D_GLIBCXX_ASSERTIONS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full)
  target_link_options(picket_build INTERFACE
    -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed)
endif()

find_program(PICKET_MOLD mold)
if(PICKET_MOLD AND CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT PICKET_SANITIZE)
  target_link_options(picket_build INTERFACE -fuse-ld=mold)
endif()
