via_test(marshal
    SOURCES test_marshal.c marshal/echo.c marshal/echo_automation.c marshal/mirror.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_lend
    SOURCES test_marshal_lend.c marshal/echo.c marshal/echo_automation.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_shapes
    SOURCES test_marshal_shapes.c marshal/echo.c marshal/echo_automation.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_memory
    SOURCES test_marshal_memory.c marshal/echo.c marshal/echo_automation.c marshal/mirror.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_automation
    SOURCES test_marshal_automation.c marshal/echo.c marshal/echo_automation.c marshal/mirror.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_references
    SOURCES test_marshal_references.c marshal/echo.c marshal/echo_automation.c marshal/mirror.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl)
via_test(marshal_records
    SOURCES test_marshal_records.c marshal/echo.c marshal/echo_automation.c marshal/mirror.c
    DEPENDS via_com_marshal
    IDL marshal/marshal_test.idl marshal/record_test.idl)
