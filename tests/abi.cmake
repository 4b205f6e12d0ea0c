# The object ABI in C and in C++.
via_test(abi SOURCES test_abi.c abi/cpp_object.cpp DEPENDS via_com_abi)

via_test(object SOURCES test_object.c DEPENDS via_com_abi)
