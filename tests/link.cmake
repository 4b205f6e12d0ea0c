# Connections and calls, over each transport.

foreach(scheme loop unix shm)
    if(NOT scheme STREQUAL "loop" AND NOT TARGET viaduct-${scheme})
        continue()
    endif()
    via_test(link_${scheme} SOURCES test_link.c link/fixture.c DEPENDS via_core_link TIMEOUT 240)
    if(TARGET test_link_${scheme})
        target_compile_definitions(test_link_${scheme} PRIVATE LINK_SCHEME="${scheme}"
            VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
        if(TARGET viaduct-${scheme})
            add_dependencies(test_link_${scheme} viaduct-${scheme})
        endif()
    endif()
endforeach()

via_test(link_hostile SOURCES test_link_hostile.c link/fixture.c DEPENDS via_core_link)
if(TARGET test_link_hostile)
    target_compile_definitions(test_link_hostile PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
endif()

if(TARGET viaduct-unix AND NOT WIN32)
    via_test(hostile SOURCES test_hostile_posix.c link/fixture.c DEPENDS via_core_link)
    target_compile_definitions(test_hostile PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
    add_dependencies(test_hostile viaduct-unix)
endif()
