# The interface compiler: what it makes, and what it refuses.
via_test(idl SOURCES test_idl.c idl/cpp_numbers.cpp IDL idl/base.idl idl/broad.idl
         DEPENDS via_com_typelib)
via_test(idl_errors SOURCES test_idl_errors.c idl/compiler.c DEPENDS via_com_idl)
via_test(idl_limits SOURCES test_idl_limits.c idl/compiler.c DEPENDS via_com_idl)
via_test(regenerate SOURCES test_regenerate.c
         IDL attributes/attributes_base.idl attributes/attributes.idl idl/aliases.idl marshal/marshal_test.idl
         DEPENDS via_com_idl)
