/* A module to load. */

/* GCC exports it from a DLL as well, where nothing else is marked for export. */
__attribute__((visibility("default"))) int test_module_twice(int value);

int test_module_twice(int value)
{
    return 2 * value;
}
