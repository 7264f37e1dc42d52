# The floors of the house, lowest first. A module may include the headers of the modules it names here, and the
# list may only name earlier ones; tests/check/floors.py holds every #include against this file.
function(gate_module name)
  cmake_parse_arguments(M "" "" "NEEDS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  if(NOT sources)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  foreach(need ${M_NEEDS})
    if(TARGET ${need})
      target_link_libraries(${name} PUBLIC ${need})
    endif()
  endforeach()
  target_link_libraries(${name} PUBLIC ${M_LIBS})
  foreach(source ${sources})
    if(source MATCHES "_avx2\\.c$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mbmi;-mbmi2;-mlzcnt;-mpopcnt;-mpclmul")
    elseif(source MATCHES "_avx512\\.c$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
        "-mavx512f;-mavx512bw;-mavx512vl;-mavx512vbmi;-mavx2;-mbmi;-mbmi2;-mlzcnt;-mpopcnt;-mpclmul")
    elseif(source MATCHES "_sse42\\.c$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-msse4.2;-mpopcnt;-mpclmul")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY GATE_MODULES ${name})
endfunction()

set(SSL PkgConfig::OPENSSL)
# floor 0
gate_module(base LIBS ${SSL} dl)
gate_module(source NEEDS base LIBS PkgConfig::JANSSON)
# floor 1
gate_module(os NEEDS base LIBS ${SSL})
gate_module(ipc NEEDS base os)
# floor 2
gate_module(io NEEDS base os LIBS PkgConfig::EVENT ${SSL})
# floor 3, pure
gate_module(http NEEDS base)
gate_module(coding NEEDS base)
gate_module(doc NEEDS base)
gate_module(registry NEEDS base source)
gate_module(rules NEEDS base source doc registry LIBS PkgConfig::PCRE2 PkgConfig::VECTORSCAN)
gate_module(match NEEDS base doc rules registry)
# floor 4, pure but for the ledger
gate_module(recipient NEEDS base source http LIBS ${SSL})
gate_module(policy NEEDS base doc rules registry match recipient)
gate_module(edit NEEDS base doc match policy)
gate_module(engine NEEDS base doc rules registry match policy edit)
gate_module(ledger NEEDS base source os ipc recipient LIBS ${SSL})
# floor 5
gate_module(gate NEEDS base ipc engine policy edit match rules ledger)
gate_module(trial NEEDS base source http doc rules registry match recipient policy edit engine gate)
gate_module(mirror NEEDS base doc rules registry match recipient policy edit engine)
# floor 6
gate_module(proxy NEEDS base source os ipc io http doc rules registry match recipient policy edit engine ledger gate
  mirror)
# floor 7
gate_module(config NEEDS base source os io rules registry recipient ledger proxy)
gate_module(admin NEEDS base source os ipc io http rules registry ledger mirror proxy config)
gate_module(supervisor NEEDS base os ipc io ledger mirror proxy config admin)
gate_module(demo NEEDS base os io http ledger supervisor config LIBS PkgConfig::JANSSON)
# The program carries the packs that the demo shows and the schemas: it works wherever it is copied to.
function(gate_embed target symbol file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  set(out ${CMAKE_BINARY_DIR}/generated/${symbol}.c)
  file(CONFIGURE OUTPUT ${out} CONTENT "#include <stddef.h>
extern const unsigned char ${symbol}[];
extern const size_t ${symbol}_len;
const unsigned char ${symbol}[] = {${bytes}};
const size_t ${symbol}_len = sizeof(${symbol});
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()
if(TARGET demo)
  gate_embed(demo demo_pack_section ${CMAKE_SOURCE_DIR}/rules/section-1367.json)
  gate_embed(demo demo_pack_persons ${CMAKE_SOURCE_DIR}/rules/examples/persons-api.json)
endif()
gate_module(cli NEEDS base source os ipc io http doc rules registry match recipient policy edit engine ledger gate trial mirror
  proxy config admin supervisor demo)
if(TARGET cli)
  gate_embed(cli cli_schema_rules ${CMAKE_SOURCE_DIR}/rules/schema/rules.schema.json)
  gate_embed(cli cli_schema_gate ${CMAKE_SOURCE_DIR}/schema/gate.schema.json)
  gate_embed(cli cli_schema_recipients ${CMAKE_SOURCE_DIR}/schema/recipients.schema.json)
  gate_embed(cli cli_schema_registry_source ${CMAKE_SOURCE_DIR}/schema/registry-source.schema.json)
endif()

# libgate1367: the pure floors for other programs (include/gate1367/gate1367.h); nothing but gate1367_ symbols leaves it.
if(TARGET engine AND NOT GATE1367_SANITIZE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/library.c CONTENT "#include \"gate1367/gate1367.h\"\n")
  add_library(libgate1367 SHARED ${CMAKE_BINARY_DIR}/generated/library.c)
  set_target_properties(libgate1367 PROPERTIES OUTPUT_NAME gate1367 VERSION ${PROJECT_VERSION} SOVERSION 0)
  target_link_libraries(libgate1367 PRIVATE engine)
  target_link_options(libgate1367 PRIVATE "LINKER:--whole-archive,$<TARGET_FILE:engine>,--no-whole-archive")
endif()

get_property(modules GLOBAL PROPERTY GATE_MODULES)
list(REVERSE modules)

if(EXISTS ${CMAKE_SOURCE_DIR}/src/main.c)
  add_executable(gate1367 src/main.c)
  target_link_libraries(gate1367 PRIVATE ${modules})
  include(${CMAKE_SOURCE_DIR}/cmake/install.cmake)
endif()

enable_testing()
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(CMOCKA_FOUND AND NOT GATE1367_FUZZ)
  foreach(module ${modules})
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${module}/test_*.c)
    foreach(test ${tests})
      get_filename_component(stem ${test} NAME_WE)
      set(target ${module}_${stem})
      add_executable(${target} ${test})
      target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit)
      target_link_libraries(${target} PRIVATE ${module} PkgConfig::CMOCKA PkgConfig::JANSSON)
      target_compile_definitions(${target} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      add_test(NAME unit/${module}/${stem} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      set_tests_properties(unit/${module}/${stem} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
    endforeach()
  endforeach()
endif()

# Fuzz targets: with the fuzz preset each is a libFuzzer program, and in every other preset it is linked with a
# driver that replays its corpus as a test. tests/fuzz/fuzz_<module>_<what>.c reads tests/corpus/fuzz_<module>_<what>/.
file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(fuzzer ${fuzzers})
  get_filename_component(stem ${fuzzer} NAME_WE)
  string(REGEX REPLACE "^fuzz_([a-z0-9]+)_.*$" "\\1" module ${stem})
  if(TARGET ${module})
    if(GATE1367_FUZZ)
      add_executable(${stem} ${fuzzer})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${stem} ${fuzzer} tests/fuzz/replay.c)
      add_test(NAME fuzz/${stem} COMMAND ${stem} ${CMAKE_SOURCE_DIR}/tests/corpus/${stem})
      set_tests_properties(fuzz/${stem} PROPERTIES TIMEOUT 300)
    endif()
    target_link_libraries(${stem} PRIVATE ${module})
  endif()
endforeach()

# Micro benches: bench/micro/bench_<module>_<what>.c
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/micro/bench_*.c)
foreach(bench ${benches})
  get_filename_component(stem ${bench} NAME_WE)
  string(REGEX REPLACE "^bench_([a-z0-9]+)_.*$" "\\1" module ${stem})
  if(TARGET ${module} AND NOT GATE1367_FUZZ)
    add_executable(${stem} ${bench})
    target_link_libraries(${stem} PRIVATE ${module})
  endif()
endforeach()

if(EXISTS ${CMAKE_SOURCE_DIR}/tests/CMakeLists.txt)
  add_subdirectory(tests)
endif()
