# Type libraries: validation, JSON from strangers, catalogue.
via_test(typelib SOURCES test_typelib.c DEPENDS via_com_typelib)
