# The libraries that the project stands on, as imported targets: Viaduct::ffi, Viaduct::jansson and, for the
# tests, Viaduct::cunit. Natively they come from the system; for Windows from wherever the MinGW packages are
# (MSYS2, Fedora) or, where a distribution has none, from the prefix that cmake/cross-libraries builds, which
# the toolchain file puts in front (VIADUCT_CROSS_PREFIX). For Windows they are static.

include(FindPackageHandleStandardArgs)

# viaduct_dependency(NAME HEADER header LIBRARY name... [OPTIONAL]): one imported target. Without OPTIONAL it has to be there.
function(viaduct_dependency name)
    cmake_parse_arguments(ARG "OPTIONAL" "HEADER" "LIBRARY" ${ARGN})
    if(WIN32)
        list(TRANSFORM ARG_LIBRARY APPEND ".a" OUTPUT_VARIABLE static_names)
        list(TRANSFORM static_names PREPEND "lib")
        set(ARG_LIBRARY ${static_names} ${ARG_LIBRARY})
    endif()
    find_path(VIADUCT_${name}_INCLUDE_DIR "${ARG_HEADER}" HINTS ${VIADUCT_CROSS_PREFIX}
              PATH_SUFFIXES include)
    find_library(VIADUCT_${name}_LIBRARY NAMES ${ARG_LIBRARY} HINTS ${VIADUCT_CROSS_PREFIX}
                 PATH_SUFFIXES lib)
    mark_as_advanced(VIADUCT_${name}_INCLUDE_DIR VIADUCT_${name}_LIBRARY)
    if(NOT VIADUCT_${name}_INCLUDE_DIR OR NOT VIADUCT_${name}_LIBRARY)
        if(ARG_OPTIONAL)
            return()
        endif()
        message(FATAL_ERROR
            "${name} (${ARG_HEADER}) was not found. './dev setup' installs or builds what is missing.")
    endif()
    add_library(Viaduct::${name} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(Viaduct::${name} PROPERTIES
        IMPORTED_LOCATION "${VIADUCT_${name}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${VIADUCT_${name}_INCLUDE_DIR}")
endfunction()

viaduct_dependency(ffi HEADER ffi.h LIBRARY ffi)
viaduct_dependency(jansson HEADER jansson.h LIBRARY jansson)
if(BUILD_TESTING)
    viaduct_dependency(cunit HEADER CUnit/CUnit.h LIBRARY cunit OPTIONAL)
    if(NOT TARGET Viaduct::cunit)
        message(WARNING "CUnit is missing: the tests are not built. './dev setup' installs it.")
        set(BUILD_TESTING OFF)
    endif()
endif()
