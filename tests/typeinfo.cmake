# Type information, ours and, on Windows, compared with the system's.
via_test(typeinfo
    SOURCES test_typeinfo.c typeinfo/dump.c typeinfo/type_object.c
    IDL typeinfo/type_base.idl typeinfo/type_test.idl
    DEPENDS via_com_remote)

if(WIN32)
    # The same source as the system's own tools describe it.
    find_program(VIADUCT_WIDL NAMES widl widl-stable PATHS /usr/lib/wine)
    set(reference "")
    if(VIADUCT_WIDL)
        set(reference "${CMAKE_CURRENT_BINARY_DIR}/type_test.tlb")
        add_custom_command(OUTPUT "${reference}"
            COMMAND "${VIADUCT_WIDL}" -m64 -t -o "${reference}" -I "${CMAKE_SOURCE_DIR}/include"
                    -I "${CMAKE_CURRENT_SOURCE_DIR}/typeinfo" "${CMAKE_CURRENT_SOURCE_DIR}/typeinfo/type_test.idl"
            DEPENDS typeinfo/type_test.idl typeinfo/type_base.idl
            VERBATIM)
        set(reference_name "${VIADUCT_PATH_PREFIX}${reference}")
    endif()
    via_test(typeinfo_windows
        SOURCES test_typeinfo_windows.c typeinfo/dump.c typeinfo/type_object.c ${reference}
        IDL typeinfo/type_base.idl typeinfo/type_test.idl
        DEPENDS via_com_remote)
    target_compile_definitions(test_typeinfo_windows PRIVATE TEST_TYPE_LIBRARY="${reference_name}")
    target_link_libraries(test_typeinfo_windows PRIVATE ole32 oleaut32 uuid)
endif()
if(WIN32 AND TARGET via_com_register)
    via_test(typelib_write
        SOURCES test_typelib_write_windows.c typeinfo/dump.c typeinfo/type_object.c
        IDL typeinfo/type_base.idl typeinfo/type_test.idl "${CMAKE_SOURCE_DIR}/examples/calculator/calculator.idl"
        DEPENDS via_com_register via_com_remote)
endif()
