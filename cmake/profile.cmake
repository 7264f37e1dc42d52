# The release build is guided by a profile (docs/developing.md, "The profile"): a build of the same sources that counts serves a few
# thousand requests (tests/training/train.py), and what it counted tells the compiler which code is hot and which is never met.
# "train" is the build that counts; "use" is guided by what this very compiler counted for this tree, and the plain build where there
# is nothing of it; empty is the plain build.
set(GATE1367_PROFILE "" CACHE STRING "train, use or empty")
set_property(CACHE GATE1367_PROFILE PROPERTY STRINGS "" train use)
if(NOT GATE1367_PROFILE MATCHES "^(train|use)?$")
  message(FATAL_ERROR "GATE1367_PROFILE is ${GATE1367_PROFILE}; it is train, use or empty")
endif()

if(GATE1367_PROFILE)
  execute_process(COMMAND ${CMAKE_C_COMPILER} --version OUTPUT_VARIABLE compiler COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "\n.*" "" compiler "${compiler}")
endif()

set(profile_options)
set(profile_version)
if(GATE1367_PROFILE STREQUAL "train")
  file(WRITE ${CMAKE_BINARY_DIR}/compiler "${compiler}\n")
  set(profile_version -training) # wherever it says its version it says that it is no product
  add_compile_definitions(GATE1367_TRAINING=1)
  add_compile_options(-fprofile-generate=${CMAKE_BINARY_DIR}/profile -fprofile-prefix-path=${CMAKE_BINARY_DIR}
    -fprofile-update=prefer-atomic)
  add_link_options(-fprofile-generate)
elseif(GATE1367_PROFILE STREQUAL "use")
  # A directory is named by what is in it: with another profile everything is compiled anew.
  file(GLOB profiles ${CMAKE_SOURCE_DIR}/build/profile/*/compiler)
  foreach(profile ${profiles})
    file(READ ${profile} made_by)
    if(made_by STREQUAL "${compiler}\n")
      get_filename_component(profile ${profile} DIRECTORY)
      # What the profile makes likely changes which warnings there are: they are errors in the build that counts, and in the plain one.
      # A function that has changed since has no profile, and is compiled as without; where gcc takes it for the same, and the counts do
      # not add up, it would be an error but for the correction.
      set(profile_options -fprofile-use=${profile} -fprofile-prefix-path=${CMAKE_BINARY_DIR} -fprofile-partial-training
        -fprofile-correction -Wno-error -Wno-missing-profile -Wno-coverage-mismatch -Wno-format-truncation)
      message(STATUS "guided by the profile ${profile}")
      break()
    endif()
  endforeach()
  if(NOT profile_options)
    message(STATUS "there is no profile of this compiler (./dev train makes one): a plain build")
  endif()
endif()

function(gate_profile target)
  target_compile_options(${target} PRIVATE ${profile_options})
endfunction()
