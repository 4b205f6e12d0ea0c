# What a component's author uses, in this project and, by find_package(Viaduct), in others. Needs the target viaduct (the
# runtime), VIADUCT_INCLUDE_DIRECTORY (the public headers' source), and VIADUCT_IDL_EXECUTABLE or a target viaduct-idl.

# viaduct_component(NAME SOURCES ... [IDL file ...] [DEPENDS ...] [DIRECTORY dir]): a component module, which
# links the runtime. It is built into VIADUCT_COMPONENT_DIRECTORY, in other projects into the current binary directory,
# unless DIRECTORY says otherwise.
function(viaduct_component name)
    cmake_parse_arguments(ARG "" "DIRECTORY" "SOURCES;IDL;DEPENDS" ${ARGN})
    if(NOT ARG_DIRECTORY)
        set(ARG_DIRECTORY "${VIADUCT_COMPONENT_DIRECTORY}")
    endif()
    if(NOT ARG_DIRECTORY)
        set(ARG_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
    add_library(${name} MODULE ${ARG_SOURCES})
    if(COMMAND via_target)
        via_target(${name})
    endif()
    target_link_libraries(${name} PRIVATE viaduct ${ARG_DEPENDS})
    set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${ARG_DIRECTORY}")
    if(ARG_IDL)
        viaduct_idl(TARGET ${name} IDL ${ARG_IDL})
    endif()
endfunction()

# viaduct_idl(TARGET target IDL file.idl ... [INCLUDES dir ...] [PREFIX dir]): compiles interface descriptions for
# a target. For NAME.idl the header NAME.h, the tables NAME_tables.c and NAME.json are made in the current binary
# directory, or in PREFIX below it (for <viaduct/node.h>); the tables join the target, and its include path (and
# that of its users) gains the current binary directory.
# The Windows build runs the native compiler that VIADUCT_IDL_EXECUTABLE names.
function(viaduct_idl)
    cmake_parse_arguments(ARG "" "TARGET;PREFIX" "IDL;INCLUDES" ${ARGN})
    set(directory "${CMAKE_CURRENT_BINARY_DIR}")
    if(ARG_PREFIX)
        cmake_path(APPEND directory "${ARG_PREFIX}")
        file(MAKE_DIRECTORY "${directory}")
    endif()
    if(VIADUCT_IDL_EXECUTABLE)
        set(compiler "${VIADUCT_IDL_EXECUTABLE}")
    else()
        set(compiler viaduct-idl)
    endif()
    set(include_flags -I "${VIADUCT_INCLUDE_DIRECTORY}")
    foreach(include IN LISTS ARG_INCLUDES)
        cmake_path(ABSOLUTE_PATH include BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
        list(APPEND include_flags -I "${include}")
    endforeach()
    get_target_property(type ${ARG_TARGET} TYPE)
    foreach(idl IN LISTS ARG_IDL)
        cmake_path(ABSOLUTE_PATH idl BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
        cmake_path(GET idl STEM name)
        set(made "${directory}/${name}")
        get_property(known GLOBAL PROPERTY "VIADUCT_IDL_${made}")
        if(NOT known)
            add_custom_command(
                OUTPUT "${made}.h" "${made}_tables.c" "${made}.json"
                COMMAND ${compiler} "${idl}" ${include_flags} --header "${made}.h"
                        --source "${made}_tables.c" --json "${made}.json"
                DEPENDS ${compiler} "${idl}" "${VIADUCT_INCLUDE_DIRECTORY}/viaduct/viaduct.idl"
                COMMENT "Compiling interfaces ${name}.idl"
                VERBATIM)
            set_property(GLOBAL PROPERTY "VIADUCT_IDL_${made}" TRUE)
            string(MAKE_C_IDENTIFIER "idl_${made}" made_target)
            add_custom_target(${made_target}
                              DEPENDS "${made}.h" "${made}_tables.c" "${made}.json")
            set_property(GLOBAL PROPERTY "VIADUCT_IDL_TARGET_${made}" ${made_target})
        endif()
        # Targets that share a description wait for one generation of it.
        get_property(made_target GLOBAL PROPERTY "VIADUCT_IDL_TARGET_${made}")
        add_dependencies(${ARG_TARGET} ${made_target})
        target_sources(${ARG_TARGET} PRIVATE "${made}_tables.c" "${made}.h")
    endforeach()
    if(type STREQUAL "EXECUTABLE" OR type STREQUAL "MODULE_LIBRARY")
        target_include_directories(${ARG_TARGET} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
    else()
        target_include_directories(${ARG_TARGET} PUBLIC "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
endfunction()
