# Builds for 64-bit Windows with MinGW-w64, on Linux. The static libraries come from VIADUCT_CROSS_PREFIX,
# by default the cache that cmake/cross-libraries fills ('./dev setup' does that).

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

if(NOT VIADUCT_CROSS_PREFIX)
    execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/cross-libraries" --print-prefix
                    OUTPUT_VARIABLE VIADUCT_CROSS_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE
                    COMMAND_ERROR_IS_FATAL ANY)
endif()
set(VIADUCT_CROSS_PREFIX "${VIADUCT_CROSS_PREFIX}" CACHE PATH "Static libraries for Windows")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VIADUCT_CROSS_PREFIX)

# The last three: what MSYS2, Fedora and other distributions have.
if(DEFINED ENV{MINGW_PREFIX})
    set(msys2 "$ENV{MINGW_PREFIX}")
else()
    set(msys2 /mingw64)
endif()
set(CMAKE_FIND_ROOT_PATH "${VIADUCT_CROSS_PREFIX}" "${msys2}" /usr/x86_64-w64-mingw32/sys-root/mingw
    /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
