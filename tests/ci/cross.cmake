# SPDX-License-Identifier: Apache-2.0
# Toolchain of the presets s390x and i386. ./dev cross unpacks the libraries of that machine into build/cross; nothing of this
# system is touched, and programs are run from there.
set(CMAKE_SYSTEM_NAME Linux)
if(AIMG_CROSS) # projects that CMake makes to try something out know the environment, not this variable
    set(ENV{AIMG_CROSS} ${AIMG_CROSS})
endif()
set(CMAKE_LIBRARY_ARCHITECTURE $ENV{AIMG_CROSS}-linux-gnu)
string(REPLACE i386 i686 CMAKE_SYSTEM_PROCESSOR $ENV{AIMG_CROSS})
set(triplet ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
set(CMAKE_C_COMPILER ${triplet}-gcc)
get_filename_component(libraries ${CMAKE_CURRENT_LIST_DIR}/../../build/cross/$ENV{AIMG_CROSS}/root ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${libraries} /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
    set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${libraries})
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
    # The processor runs these itself; only their loader stands elsewhere.
    set(CMAKE_EXE_LINKER_FLAGS_INIT
        "-Wl,--dynamic-linker=/usr/${triplet}/lib/ld-linux.so.2 -Wl,-rpath,/usr/${triplet}/lib")
else()
    set(CMAKE_CROSSCOMPILING_EMULATOR qemu-$ENV{AIMG_CROSS}-static -L /usr/${triplet})
endif()
