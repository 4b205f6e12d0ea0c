# Type information, ours and, on Windows, compared with the system's.
via_test(typeinfo
    SOURCES test_typeinfo.c typeinfo/dump.c typeinfo/type_object.c
    IDL typeinfo/type_base.idl typeinfo/type_test.idl
    DEPENDS via_com_remote)
