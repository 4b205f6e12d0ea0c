# Type libraries: validation, JSON from strangers, catalogue.
via_test(typelib SOURCES test_typelib.c typelib/sample.c DEPENDS via_com_typelib)
via_test(typelib_json SOURCES test_typelib_json.c typelib/sample.c DEPENDS via_com_typelib)
