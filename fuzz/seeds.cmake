# SPDX-License-Identifier: Apache-2.0
# Where fuzzing begins, in this one place. seeds_<target>.txt in the build folder lists it, for ./dev fuzz too.

# Written when they are needed: archives by make_archives, pictures by their unit test.
set(fuzz_seeds_archive ${CMAKE_CURRENT_BINARY_DIR}/seeds_archive)
set(fuzz_seeds_picture ${CMAKE_CURRENT_BINARY_DIR}/seeds_picture)
add_executable(make_archives EXCLUDE_FROM_ALL make_archives.c)
aimg_own_target(make_archives)
target_link_libraries(make_archives PRIVATE archive_img)
add_custom_target(fuzz_seeds
    COMMAND ${CMAKE_COMMAND} -E make_directory ${fuzz_seeds_archive} COMMAND make_archives ${fuzz_seeds_archive})

# aimg_fuzz_seeds(<name> <is archive> <out>): the small corpus of what was found so far, each input packed with zstd, which tests
# replay; to go on from there are also all archives that the specification comes with, whole and broken.
function(aimg_fuzz_seeds name archive out)
    set(paths ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
    set(vectors "")
    if(archive)
        list(APPEND paths ${fuzz_seeds_archive})
        set(vectors ${PROJECT_SOURCE_DIR}/spec/vectors/good ${PROJECT_SOURCE_DIR}/spec/vectors/bad)
    elseif(name STREQUAL fuzz_picture)
        list(APPEND paths ${fuzz_seeds_picture})
    endif()
    list(JOIN paths "\n" text)
    list(JOIN vectors "\n" more)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/seeds_${name}.txt "${text}\n${more}\n")
    set(${out} ${paths} PARENT_SCOPE)
endfunction()

if(AIMG_BUILD_TESTS)
    add_test(NAME fuzz.seeds_archive COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target fuzz_seeds)
    add_test(NAME fuzz.seeds_picture COMMAND test_picture --write ${fuzz_seeds_picture})
    set_tests_properties(fuzz.seeds_archive fuzz.seeds_picture PROPERTIES LABELS fuzz FIXTURES_SETUP fuzz_seeds)
endif()

# aimg_fuzz_tests(<name> <path>...): all seeds are replayed; where there is a fuzzer, it goes on from them for two seconds.
function(aimg_fuzz_tests name)
    set(kept ${CMAKE_CURRENT_BINARY_DIR}/kept_${name})
    file(MAKE_DIRECTORY ${kept})
    add_test(NAME fuzz.replay_${name} COMMAND replay_${name} --unpack ${kept} ${ARGN})
    set_tests_properties(fuzz.replay_${name} PROPERTIES LABELS fuzz FIXTURES_REQUIRED fuzz_seeds FIXTURES_SETUP kept_${name})
    if(AIMG_BUILD_FUZZERS)
        add_test(NAME fuzz.${name} COMMAND ${name} -max_total_time=2 -artifact_prefix=${kept}/ ${kept})
        set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz FIXTURES_REQUIRED kept_${name})
    endif()
endfunction()
