# Connections and calls, over each transport.

foreach(scheme loop unix shm)
    if(NOT scheme STREQUAL "loop" AND NOT TARGET viaduct-${scheme})
        continue()
    endif()
    via_test(link_${scheme} SOURCES test_link.c link/callers.c link/fixture.c
             os/descriptors_${VIADUCT_OS}.c DEPENDS via_core_link TIMEOUT 240)
    via_test(link_ends_${scheme} SOURCES test_link_ends.c link/callers.c link/fixture.c DEPENDS via_core_link
             TIMEOUT 240)
    via_test(link_flood_${scheme} SOURCES test_link_flood.c link/fixture.c DEPENDS via_core_link
             TIMEOUT 240)
    via_test(link_crowd_${scheme} SOURCES test_link_crowd.c link/fixture.c DEPENDS via_core_link
             TIMEOUT 240)
    via_test(link_jobs_${scheme} SOURCES test_link_jobs.c link/fixture.c DEPENDS via_core_link)
    via_test(link_announce_${scheme} SOURCES test_link_announce.c link/fixture.c link/raw.c
             os/descriptors_${VIADUCT_OS}.c DEPENDS via_core_link)
    foreach(suite test_link_${scheme} test_link_ends_${scheme} test_link_flood_${scheme}
                  test_link_crowd_${scheme} test_link_jobs_${scheme} test_link_announce_${scheme})
        if(NOT TARGET ${suite})
            continue()
        endif()
        target_compile_definitions(${suite} PRIVATE LINK_SCHEME="${scheme}"
            VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
        if(TARGET viaduct-${scheme})
            add_dependencies(${suite} viaduct-${scheme})
        endif()
    endforeach()
endforeach()

via_test_without_module(link_shm)
via_test_without_module(link_ends_shm)
via_test_without_module(link_flood_shm)

via_test(link_hostile SOURCES test_link_hostile.c link/fixture.c link/raw.c DEPENDS via_core_link)
if(TARGET test_link_hostile)
    target_compile_definitions(test_link_hostile PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
endif()

via_test(cork SOURCES test_cork.c link/fixture.c link/raw.c DEPENDS via_core_link)
if(TARGET test_cork)
    target_compile_definitions(test_cork PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
endif()

via_test(inbox SOURCES test_inbox.c link/fixture.c DEPENDS via_core_link)
if(TARGET test_inbox)
    target_compile_definitions(test_inbox PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
endif()

# Its tests make threads and a transport fail.
via_test(link_faults SOURCES test_link_faults.c link/fixture.c link/raw.c DEPENDS via_core_link)
if(TARGET test_link_faults)
    target_compile_definitions(test_link_faults PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
    target_link_options(test_link_faults PRIVATE "LINKER:--wrap=os_thread_start")
endif()

if(TARGET viaduct-unix AND NOT WIN32)
    via_test(hostile SOURCES test_hostile_posix.c link/fixture.c DEPENDS via_core_link)
    target_compile_definitions(test_hostile PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
    add_dependencies(test_hostile viaduct-unix)
endif()

if(TARGET viaduct-unix AND TARGET viaduct-shm)
    via_test(switch SOURCES test_switch.c link/fixture.c DEPENDS via_core_link TIMEOUT 240)
    target_compile_definitions(test_switch PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
    add_dependencies(test_switch viaduct-unix viaduct-pipe viaduct-shm)
    via_test_without_module(switch ENVIRONMENT TEST_BASE_SCHEME=pipe)
endif()

if(TARGET viaduct-unix AND TARGET viaduct-shm)
    via_test(link_memory SOURCES test_link_memory.c link/fixture.c DEPENDS via_core_link TIMEOUT 240)
    target_compile_definitions(test_link_memory PRIVATE
        VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
    add_dependencies(test_link_memory viaduct-unix viaduct-shm)
    if(NOT WIN32)
        via_test(memory_hostile SOURCES test_memory_hostile_posix.c link/fixture.c link/raw.c
                 DEPENDS via_core_link)
        target_compile_definitions(test_memory_hostile PRIVATE
            VIADUCT_PLUGIN_DIRECTORY="${VIADUCT_PATH_PREFIX}${VIADUCT_PLUGIN_DIRECTORY}")
        add_dependencies(test_memory_hostile viaduct-unix viaduct-shm)
    endif()
endif()
